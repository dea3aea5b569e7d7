/// Operations that a context source takes (table 4.20-1): a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Operations(u64);

macro_rules! operations {
    ($($variant:ident $name:literal)+) => {
        /// An operation that can be distributed (table 4.20-1).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum SourceOperation {
            $(#[doc = concat!("`", $name, "`.")] $variant,)+
        }

        impl SourceOperation {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name of table 4.20-1.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

operations! {
    CreateEntity "createEntity"
    UpdateEntity "updateEntity"
    AppendAttrs "appendAttrs"
    UpdateAttrs "updateAttrs"
    DeleteAttrs "deleteAttrs"
    DeleteEntity "deleteEntity"
    CreateBatch "createBatch"
    UpsertBatch "upsertBatch"
    UpdateBatch "updateBatch"
    DeleteBatch "deleteBatch"
    UpsertTemporal "upsertTemporal"
    AppendAttrsTemporal "appendAttrsTemporal"
    DeleteAttrsTemporal "deleteAttrsTemporal"
    UpdateAttrInstanceTemporal "updateAttrInstanceTemporal"
    DeleteAttrInstanceTemporal "deleteAttrInstanceTemporal"
    DeleteTemporal "deleteTemporal"
    MergeEntity "mergeEntity"
    ReplaceEntity "replaceEntity"
    ReplaceAttrs "replaceAttrs"
    MergeBatch "mergeBatch"
    PurgeEntity "purgeEntity"
    RetrieveEntity "retrieveEntity"
    QueryEntity "queryEntity"
    QueryBatch "queryBatch"
    RetrieveTemporal "retrieveTemporal"
    QueryTemporal "queryTemporal"
    RetrieveEntityTypes "retrieveEntityTypes"
    RetrieveEntityTypeDetails "retrieveEntityTypeDetails"
    RetrieveEntityTypeInfo "retrieveEntityTypeInfo"
    RetrieveAttrTypes "retrieveAttrTypes"
    RetrieveAttrTypeDetails "retrieveAttrTypeDetails"
    RetrieveAttrTypeInfo "retrieveAttrTypeInfo"
    CreateSubscription "createSubscription"
    UpdateSubscription "updateSubscription"
    RetrieveSubscription "retrieveSubscription"
    QuerySubscription "querySubscription"
    DeleteSubscription "deleteSubscription"
    RetrieveEntityMap "retrieveEntityMap"
    UpdateEntityMap "updateEntityMap"
    DeleteEntityMap "deleteEntityMap"
    CreateEntityMapQueryEntity "createEntityMapQueryEntity"
    CreateEntityMapQueryTemporal "createEntityMapQueryTemporal"
    RetrieveContextSourceIdentity "retrieveContextSourceIdentity"
}

use SourceOperation as Op;

const TYPES_AND_ATTRIBUTES: &[Op] = &[
    Op::RetrieveEntityTypes,
    Op::RetrieveEntityTypeDetails,
    Op::RetrieveEntityTypeInfo,
    Op::RetrieveAttrTypes,
    Op::RetrieveAttrTypeDetails,
    Op::RetrieveAttrTypeInfo,
];
const SUBSCRIPTIONS: &[Op] = &[
    Op::CreateSubscription,
    Op::UpdateSubscription,
    Op::RetrieveSubscription,
    Op::QuerySubscription,
    Op::DeleteSubscription,
];
const ENTITY_MAPS: &[Op] = &[
    Op::RetrieveEntityMap,
    Op::UpdateEntityMap,
    Op::DeleteEntityMap,
    Op::CreateEntityMapQueryEntity,
];
const REDIRECTED: &[Op] = &[
    Op::CreateEntity,
    Op::UpdateEntity,
    Op::AppendAttrs,
    Op::UpdateAttrs,
    Op::DeleteAttrs,
    Op::DeleteEntity,
    Op::MergeEntity,
    Op::ReplaceEntity,
    Op::ReplaceAttrs,
    Op::PurgeEntity,
];
const UPDATES: &[Op] = &[Op::UpdateEntity, Op::UpdateAttrs, Op::ReplaceEntity, Op::ReplaceAttrs];

impl Operations {
    /// None.
    pub const NONE: Self = Self(0);
    /// `retrieveOps`.
    pub const RETRIEVE: Self = Self::of(&[Op::RetrieveEntity, Op::QueryEntity]);
    /// `updateOps`.
    pub const UPDATE: Self = Self::of(UPDATES);
    /// `associationOps`.
    pub const ASSOCIATION: Self = Self::RETRIEVE
        .and(Self::of(&[Op::QueryBatch, Op::RetrieveContextSourceIdentity]))
        .and(Self::of(TYPES_AND_ATTRIBUTES))
        .and(Self::of(SUBSCRIPTIONS));
    /// `federationOps`, which holds where a registration names no operation.
    pub const FEDERATION: Self = Self::ASSOCIATION.and(Self::of(ENTITY_MAPS));
    /// `redirectionOps`.
    pub const REDIRECTION: Self = Self::of(REDIRECTED)
        .and(Self::RETRIEVE)
        .and(Self::of(TYPES_AND_ATTRIBUTES))
        .and(Self::of(ENTITY_MAPS))
        .and(Self::of(&[Op::RetrieveContextSourceIdentity]));

    /// The set of these operations.
    pub const fn of(operations: &[SourceOperation]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < operations.len() {
            bits |= 1 << operations[at] as u64;
            at += 1;
        }
        Self(bits)
    }

    /// What is in one of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether an operation is in it.
    pub const fn contains(self, operation: SourceOperation) -> bool {
        self.0 & (1 << operation as u64) != 0
    }

    /// Whether nothing of it is outside another set.
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The operations that the name of an operation or of a group stands for (clause 4.20).
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "federationOps" => Self::FEDERATION,
            "associationOps" => Self::ASSOCIATION,
            "updateOps" => Self::UPDATE,
            "retrieveOps" => Self::RETRIEVE,
            "redirectionOps" => Self::REDIRECTION,
            _ => Self::of(&[*SourceOperation::ALL.iter().find(|op| op.as_str() == name)?]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_hold_what_table_4_20_2_lists() {
        let sizes = [
            ("federationOps", 19),
            ("associationOps", 15),
            ("updateOps", 4),
            ("retrieveOps", 2),
            ("redirectionOps", 23),
        ];
        for (group, size) in sizes {
            let operations = Operations::parse(group).unwrap();
            let count = SourceOperation::ALL.iter().filter(|op| operations.contains(**op)).count();
            assert_eq!(count, size, "{group}");
        }
        assert!(!Operations::FEDERATION.contains(SourceOperation::CreateEntityMapQueryTemporal));
        assert!(!Operations::REDIRECTION.contains(SourceOperation::QueryBatch));
        assert!(Operations::UPDATE.is_within(Operations::REDIRECTION));
        assert!(!Operations::REDIRECTION.is_within(Operations::FEDERATION));
    }

    #[test]
    fn every_operation_is_found_by_its_name_and_is_no_other() {
        for operation in SourceOperation::ALL {
            let set = Operations::parse(operation.as_str()).unwrap();
            let found: Vec<_> =
                SourceOperation::ALL.iter().filter(|op| set.contains(**op)).collect();
            assert_eq!(found, [operation]);
        }
        assert_eq!(Operations::parse("allOps"), None);
    }
}
