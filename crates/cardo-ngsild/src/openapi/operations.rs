//! What each operation is, in words.

pub(super) const TAGS: [(&str, &str); 9] = [
    ("Entities", "Things of the city and their attributes."),
    ("Batches", "Many entities in one request."),
    ("History", "What attributes were before."),
    ("Entity maps", "Which entities the pages of one question are about."),
    ("Snapshots", "Frozen states of the twin, which may be changed by themselves."),
    ("Discovery", "Which types and attributes there are."),
    ("Subscriptions", "Being told when something changes."),
    ("Sources", "Other servers that have entities, and what they have."),
    ("Contexts", "The @contexts that the server hosts, and its copies of those of others."),
];

/// An operation; `id` is its name in the table of routes.
pub(super) struct Description {
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) says: &'static str,
    pub(super) parameters: &'static [&'static str],
    /// Those of them that its example gives, each with the value that is its own example.
    pub(super) example: &'static [&'static str],
    pub(super) body: Body,
    pub(super) answers: Answers,
}

/// What a request carries.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body {
    None,
    Entity,
    Fragment,
    Attribute,
    Entities,
    Ids,
    Query,
    TemporalEntity,
    TemporalFragment,
    TemporalQuery,
    EntityMapFragment,
    Snapshot,
    SnapshotClone,
    SnapshotFragment,
    Subscription,
    SubscriptionFragment,
    FollowedSubscription,
    Registration,
    RegistrationFragment,
    SourceSubscription,
    Replay,
    Again,
    Context,
}

/// What comes back where nothing is wrong.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answers {
    Entity,
    Entities,
    Created,
    Done,
    Updated,
    BatchCreated,
    BatchDone,
    History,
    Histories,
    Recorded,
    EntityMap,
    EntityMapCreated,
    Snapshot,
    Types,
    Type,
    Attributes,
    Attribute,
    Subscription,
    Subscriptions,
    Registration,
    Registrations,
    SourceSubscription,
    SourceSubscriptions,
    Identity,
    Letters,
    Parcels,
    Context,
    Contexts,
    Events,
}

type Answer = (&'static str, &'static str, Option<&'static str>);

impl Answers {
    /// Status, meaning and schema of each.
    pub(super) fn list(self) -> &'static [Answer] {
        match self {
            Self::Entity => &[
                ("200", "The entity.", Some("Entity")),
                ("203", "The same, altered to the version that Prefer names.", Some("Entity")),
            ],
            Self::Entities => &[
                ("200", "A page of entities.", Some("Entities")),
                ("201", "The same, where an entity map was made for it.", Some("Entities")),
                ("203", "The same, altered to the version that Prefer names.", Some("Entities")),
            ],
            Self::Created => &[("201", "It was created.", None)],
            Self::Done => &[("204", "It was done.", None)],
            Self::Updated => &[
                ("204", "Everything was done.", None),
                ("207", "Some attributes were left alone.", Some("UpdateResult")),
            ],
            Self::BatchCreated => &[
                ("201", "Done; the ids of those that were created.", Some("Ids")),
                ("204", "Done; none of them is new.", None),
                ("207", "Some were done and some were not.", Some("BatchResult")),
            ],
            Self::BatchDone => &[
                ("204", "Everything was done.", None),
                ("207", "Some were done and some were not.", Some("BatchResult")),
            ],
            Self::History => &[
                ("200", "The entity with the instances of its attributes.", Some("TemporalEntity")),
                ("206", "The same, cut to what fits into one answer.", Some("TemporalEntity")),
            ],
            Self::Histories => &[
                (
                    "200",
                    "A page of entities with the instances of their attributes.",
                    Some("TemporalEntities"),
                ),
                ("201", "The same, where an entity map was made for it.", Some("TemporalEntities")),
                ("206", "The same, cut to what fits into one answer.", Some("TemporalEntities")),
            ],
            Self::Recorded => &[
                ("201", "Nothing was known of the entity before.", None),
                ("204", "It was added to what was known.", None),
            ],
            Self::Snapshot => &[("200", "The snapshot.", Some("Snapshot"))],
            Self::EntityMap => &[("200", "The entity map.", Some("EntityMap"))],
            Self::EntityMapCreated => &[("201", "The new entity map.", Some("EntityMap"))],
            Self::Types => {
                &[("200", "The types, by name or each with its attributes.", Some("Listing"))]
            }
            Self::Type => &[("200", "What is known of the type.", Some("TypeInfo"))],
            Self::Attributes => &[(
                "200",
                "The attributes, by name or each with the types that have it.",
                Some("Listing"),
            )],
            Self::Attribute => &[("200", "What is known of the attribute.", Some("AttributeInfo"))],
            Self::Subscription => &[("200", "The subscription.", Some("Subscription"))],
            Self::Subscriptions => &[("200", "A page of subscriptions.", Some("Subscriptions"))],
            Self::Registration => &[("200", "The registration.", Some("Registration"))],
            Self::Registrations => &[("200", "A page of registrations.", Some("Registrations"))],
            Self::SourceSubscription => &[("200", "The subscription.", Some("SourceSubscription"))],
            Self::SourceSubscriptions => {
                &[("200", "A page of subscriptions.", Some("SourceSubscriptions"))]
            }
            Self::Identity => &[("200", "The identity.", Some("SourceIdentity"))],
            Self::Parcels => &[("200", "A page of dead letters.", Some("Parcels"))],
            Self::Letters => &[("200", "A page of dead letters.", Some("DeadLetters"))],
            Self::Context => &[(
                "200",
                "The context, or with details=true what is known of it.",
                Some("ContextOrDetails"),
            )],
            Self::Events => {
                &[("200", "Notifications, each an event with its cursor as the id.", None)]
            }
            Self::Contexts => &[(
                "200",
                "The URL of each, or with details=true what is known of each.",
                Some("Contexts"),
            )],
        }
    }
}

macro_rules! describe {
    ($($id:literal $tag:literal $summary:literal $says:literal [$($parameter:literal),*]
       $(=> [$($example:literal),*])? $body:ident $answers:ident;)+) => {
        &[$(Description {
            id: $id, tag: $tag, summary: $summary, says: $says,
            parameters: &[$($parameter),*], example: &[$($($example),*)?], body: Body::$body, answers: Answers::$answers,
        }),+]
    };
}

/// Every operation.
pub(super) const DESCRIPTIONS: &[Description] = describe! {
    "query-entities" "Entities" "Find entities"
        "Entities that meet all conditions, in the order that is asked for, or in that of their creation. At least one of type, attrs, q, georel or local=true has to be given."
        ["type", "id", "idPattern", "q", "attrs", "pick", "omit", "georel", "geometry", "coordinates", "geoproperty",
         "geometryProperty", "scopeQ", "limit", "offset", "count", "options", "format", "datasetId", "local", "languages", "join", "joinLevel",
         "containedBy", "orderBy", "orderFrom", "orderGeometry", "collation", "expandValues", "jsonKeys", "splitEntities", "csf",
         "entityMap", "entityMapLifetime", "inEntityMap"]
        => ["type", "q", "pick", "limit", "count"] None Entities;
    "create-entity" "Entities" "Create an entity" "The id and the type are part of the body." ["local"] Entity Created;
    "retrieve-entity" "Entities" "Read an entity" "One entity by its id, whole or in part."
        ["attrs", "pick", "omit", "options", "format", "type", "datasetId", "geometryProperty", "local", "languages", "join", "joinLevel",
         "containedBy", "entityMap", "entityMapLifetime", "inEntityMap"] => ["format"] None Entity;
    "purge-entities" "Entities" "Delete entities, or attributes of many"
        "All entities that meet the conditions are deleted, or with drop or keep attributes of them. At least one of type, attrs, q, georel or local=true has to be given."
        ["type", "id", "idPattern", "q", "attrs", "georel", "geometry", "coordinates", "geoproperty", "geometryProperty", "scopeQ",
         "keep", "drop", "local", "expandValues", "csf", "inEntityMap"]
        => ["type", "drop"] None Done;
    "replace-entity" "Entities" "Replace an entity" "All its attributes are replaced by those of the body." ["type", "local"] Entity Done;
    "merge-entity" "Entities" "Merge into an entity"
        "Attributes of the body are added or merged; null, written urn:ngsi-ld:null, removes what it stands for."
        ["options", "format", "observedAt", "lang", "type", "local"] Fragment Done;
    "delete-entity" "Entities" "Delete an entity" "Its history stays." ["type", "local"] None Done;
    "append-attributes" "Entities" "Add attributes" "Attributes that exist are overwritten, unless options=noOverwrite."
        ["writeOptions", "type", "local"] Fragment Updated;
    "update-attributes" "Entities" "Update attributes" "Only attributes that exist are changed." ["type", "local"] Fragment Updated;
    "replace-attribute" "Entities" "Replace an attribute" "The instance with the datasetId of the body, or the default one." ["type", "local"] Attribute Done;
    "update-attribute" "Entities" "Update an attribute in part" "Members of the body replace those of the attribute; others stay." ["type", "local"] Attribute Done;
    "delete-attribute" "Entities" "Delete an attribute" "The default instance, the one of a datasetId, or all of them."
        ["datasetId", "deleteAll", "type", "local"] None Done;
    "batch-create" "Batches" "Create many" "Each entity is created or reported with its problem." ["local"] Entities BatchCreated;
    "batch-upsert" "Batches" "Create or replace many" "Entities that exist are replaced, or with options=update updated." ["upsertOptions", "local"]
        => ["upsertOptions"] Entities BatchCreated;
    "batch-update" "Batches" "Update many" "Attributes are added to entities that exist." ["writeOptions", "local"] Entities BatchDone;
    "batch-merge" "Batches" "Merge into many" "As merging into one, for each." ["local"] Entities BatchDone;
    "batch-delete" "Batches" "Delete many" "The body lists their ids." ["local"] Ids BatchDone;
    "post-query" "Batches" "Find entities by a body" "The same question as by parameters, for those that are too long for an address."
        ["limit", "offset", "count", "options", "format", "geometryProperty", "local", "languages", "inEntityMap"] => ["limit", "format"] Query Entities;
    "retrieve-temporal-evolution" "History" "Read the history of an entity" "Instances of its attributes over time, also where the entity was deleted."
        ["attrs", "pick", "omit", "temporalOptions", "temporalFormat", "timerel", "timeAt", "endTimeAt", "timeproperty", "lastN",
         "languages", "aggrMethods", "aggrPeriodDuration", "datasetId", "local", "entityMap", "entityMapLifetime", "inEntityMap"]
        => ["lastN"] None History;
    "query-temporal-evolution" "History" "Find entities by their history"
        "Entities with instances in a range of time that meet all conditions, those that were deleted included."
        ["type", "id", "idPattern", "q", "attrs", "pick", "omit", "georel", "geometry", "coordinates", "geoproperty", "scopeQ",
         "limit", "offset", "count", "orderById", "collation", "expandValues", "jsonKeys", "splitEntities", "temporalOptions",
         "temporalFormat", "timerel", "timeAt", "endTimeAt", "timeproperty", "lastN", "languages", "aggrMethods", "aggrPeriodDuration", "datasetId", "local",
         "entityMap", "entityMapLifetime", "inEntityMap"]
        => ["type", "timerel", "timeAt", "lastN", "count"] None Histories;
    "post-temporal-query" "History" "Find entities by their history, by a body"
        "The same question as by parameters, for those that are too long for an address."
        ["limit", "offset", "count", "temporalOptions", "temporalFormat", "local", "languages", "splitEntities", "inEntityMap"] => ["limit"] TemporalQuery Histories;
    "upsert-temporal-evolution" "History" "Write history"
        "Instances of attributes are added to the history of an entity, which need not be in the twin. The entity as it is stays."
        ["local"] TemporalEntity Recorded;
    "append-temporal-attributes" "History" "Add to the history of an entity" "The same for an entity of which something is known." ["local"] TemporalFragment Done;
    "delete-temporal-evolution" "History" "Delete the history of an entity" "The entity as it is stays." ["local"] None Done;
    "delete-temporal-attribute" "History" "Delete the history of an attribute" "Of the default instance, of one datasetId, or all of it."
        ["datasetId", "deleteAll", "local"] None Done;
    "modify-temporal-instance" "History" "Put one instance right" "The body takes its place; its id stays." ["local"] Attribute Done;
    "delete-temporal-instance" "History" "Delete one instance" "By its instanceId." ["local"] None Done;
    "create-entity-map" "Entity maps" "Fix which entities pages are about"
        "The map lists all entities that match, and stays as it is while they change. Pages that name it in NGSILD-EntityMap are about these alone, as far as they still match."
        ["type", "id", "idPattern", "q", "attrs", "georel", "geometry", "coordinates", "geoproperty", "scopeQ", "local",
         "expandValues", "jsonKeys", "entityMapLifetime"]
        => ["type", "q"] None EntityMapCreated;
    "post-entity-map" "Entity maps" "Fix which entities pages are about, by a body" "The same question as by parameters." ["local"] Query EntityMapCreated;
    "create-temporal-entity-map" "Entity maps" "Fix which histories pages are about" "The same for questions by history."
        ["type", "id", "idPattern", "q", "attrs", "georel", "geometry", "coordinates", "geoproperty", "scopeQ",
         "timerel", "timeAt", "endTimeAt", "timeproperty", "local", "entityMapLifetime"]
        => ["type", "timerel", "timeAt"] None EntityMapCreated;
    "post-temporal-entity-map" "Entity maps" "Fix which histories pages are about, by a body" "The same question as by parameters." ["local"] TemporalQuery EntityMapCreated;
    "retrieve-entity-map" "Entity maps" "Read an entity map" "Its entities, each with the servers that hold it; @none is this one." [] None EntityMap;
    "update-entity-map" "Entity maps" "Change when an entity map ends" "Nothing else of it can be changed." [] EntityMapFragment Done;
    "delete-entity-map" "Entity maps" "Delete an entity map" "The entities stay." [] None Done;
    "create-snapshot" "Snapshots" "Freeze what queries find"
        "A branch of the twin that begins with what the queries find, made behind the answer. Every operation is about it where NGSILD-Snapshot names it, or the prefix /branches/{branch} of the path; it may be changed, and the twin stays as it is. A query for all types takes the twin as a whole, which costs nothing."
        [] Snapshot Created;
    "clone-snapshot" "Snapshots" "Copy a snapshot" "The copy goes its own way." [] SnapshotClone Created;
    "retrieve-snapshot" "Snapshots" "Read about a snapshot" "Whether it is ready, how its queries went, and when it ends." [] None Snapshot;
    "update-snapshot" "Snapshots" "Change a snapshot" "How important it is, how long it lasts, who is told of it." [] SnapshotFragment Snapshot;
    "delete-snapshot" "Snapshots" "Delete a snapshot" "With all that it holds." [] None Done;
    "purge-snapshots" "Snapshots" "Delete several snapshots" "Those whose members meet the query q." ["snapshotQ"] => ["snapshotQ"] None Done;
    "list-types" "Discovery" "List the types" "The types that entities have now." ["details", "local"] None Types;
    "retrieve-type" "Discovery" "Read about a type" "How many entities are of it, and which attributes they have." ["local"] None Type;
    "list-attributes" "Discovery" "List the attributes" "The attributes that entities have now." ["details", "local"] => ["details"] None Attributes;
    "retrieve-attribute" "Discovery" "Read about an attribute" "How many entities have it, of which types and kinds." ["local"] None Attribute;
    "query-subscriptions" "Subscriptions" "List the subscriptions" "With what came of their notifications." ["limit", "offset", "count", "sysOptions", "local"]
        => ["limit", "count"] None Subscriptions;
    "create-subscription" "Subscriptions" "Subscribe" "The server sends a POST to the endpoint whenever an entity that meets the conditions changes."
        ["local"] Subscription Created;
    "retrieve-subscription" "Subscriptions" "Read a subscription" "With what came of its notifications." ["sysOptions", "local"] None Subscription;
    "update-subscription" "Subscriptions" "Change a subscription" "Members of the body replace those of the subscription." ["local"] SubscriptionFragment Done;
    "follow" "Subscriptions" "Follow a question (an extension of Cardo)"
        "What a subscription would tell a receiver is told to the one who asks, by Server-Sent Events for as long as they stay. With \
         Last-Event-ID or cursor they go on where they were; 410 says that the log no longer reaches back so far. With an Upgrade \
         header the same comes over a WebSocket: the question stands in the address, or in the first message as a subscription with the members cursor \
         and authorization; each notification has a cursor."
        ["type", "id", "idPattern", "watchedAttributes", "notificationTrigger", "q", "georel", "geometry", "coordinates", "geoproperty", "scopeQ",
         "expandValues", "jsonKeys", "csf", "local", "datasetId", "languages", "jsonldContext", "throttling", "timeInterval", "expiresAt", "accept",
         "format", "options", "pick", "omit", "join", "joinLevel", "showChanges", "splitEntities", "cursor", "notifications"]
        => ["type", "pick", "timeInterval", "notifications"] None Events;
    "follow-by-body" "Subscriptions" "Follow a question by a body (an extension of Cardo)"
        "The same with a subscription as the body, which needs no notification and no endpoint." ["cursor", "notifications"]
        => ["notifications"] FollowedSubscription Events;
    "delete-subscription" "Subscriptions" "Unsubscribe" "Nothing more is sent." ["local"] None Done;
    "query-registrations" "Sources" "Find sources"
        "Registrations of the sources that may have what is asked for, each with what of its information matches. At least one of type, attrs, q or georel has to be given."
        ["type", "id", "idPattern", "q", "attrs", "pick", "omit", "georel", "geometry", "coordinates", "geoproperty", "geometryProperty",
         "scopeQ", "csf", "languages", "timerel", "timeAt", "endTimeAt", "timeproperty", "datasetId", "limit", "offset", "count", "sysOptions", "local"]
        => ["type", "limit", "count"] None Registrations;
    "register-source" "Sources" "Register a source" "What it may have, how it is to be asked, and for how long the registration holds." ["local"] Registration Created;
    "retrieve-registration" "Sources" "Read a registration" "With what came of the requests that were sent to the source." ["sysOptions", "local"]
        None Registration;
    "update-registration" "Sources" "Change a registration" "Members of the body replace those of the registration." ["local"] RegistrationFragment Done;
    "delete-registration" "Sources" "Forget a source" "Nothing more is sent to it." ["local"] None Done;
    "query-source-subscriptions" "Sources" "List the subscriptions to sources" "With what came of their notifications."
        ["limit", "offset", "count", "sysOptions", "local"] => ["limit", "count"] None SourceSubscriptions;
    "create-source-subscription" "Sources" "Subscribe to sources"
        "The server tells of the registrations that match, at first and whenever one comes, changes or goes." ["local"] SourceSubscription Created;
    "retrieve-source-subscription" "Sources" "Read a subscription to sources" "With what came of its notifications." ["sysOptions", "local"]
        None SourceSubscription;
    "update-source-subscription" "Sources" "Change a subscription to sources" "After it, everything that matches is told again." ["local"]
        SubscriptionFragment Done;
    "delete-source-subscription" "Sources" "Unsubscribe from sources" "Nothing more is sent." ["local"] None Done;
    "retrieve-source-identity" "Sources" "Read who the server is" "The alias by which others that register it find loops; each tenant has its own."
        ["local"] None Identity;
    "list-dead-letters" "Subscriptions" "List what was not delivered" "An extension: the notifications of a subscription that were given up, each with the revision of the change and the reason."
        ["limit", "offset", "count"] => ["limit", "count"] None Letters;
    "forget-dead-letters" "Subscriptions" "Forget what was not delivered" "An extension." [] None Done;
    "replay-notifications" "Subscriptions" "Tell again" "An extension: everything from a revision on is told again in the order of the changes, what arrived as well as dead letters; without `from`, from the oldest dead letter on. 410 where the log is cut there."
        [] Replay Done;
    "list-source-dead-letters" "Sources" "List what was not delivered" "An extension: the notifications of a subscription to sources that were given up, each whole and with the reason."
        ["limit", "offset", "count"] => ["limit", "count"] None Parcels;
    "forget-source-dead-letters" "Sources" "Forget what was not delivered" "An extension." [] None Done;
    "replay-source-notifications" "Sources" "Send again" "An extension: the dead letters are sent again, oldest first." [] Again Done;
    "list-snapshot-dead-letters" "Snapshots" "List what was not delivered" "An extension: the notifications of a snapshot that were given up, each whole and with the reason."
        ["limit", "offset", "count"] => ["limit", "count"] None Parcels;
    "forget-snapshot-dead-letters" "Snapshots" "Forget what was not delivered" "An extension." [] None Done;
    "replay-snapshot-notifications" "Snapshots" "Send again" "An extension: the dead letters are sent again, oldest first." [] Again Done;
    "list-contexts" "Contexts" "List the contexts" "Those that the tenant hosts, those made for its subscriptions, and the copies of others, which all tenants share."
        ["details", "kind"] => ["details"] None Contexts;
    "add-context" "Contexts" "Host a context" "The server makes up its id; from then on its URL can be given as @context, by this tenant and by all who may read it."
        [] Context Created;
    "serve-context" "Contexts" "Read a context" "By its local id. Of a copy, which may also be named by its URL, only the details are shown." ["details"]
        => ["details"] None Context;
    "delete-context" "Contexts" "Delete or reload a context" "A copy may also be downloaded again; where that fails, it stays as it is." ["reload"]
        => ["reload"] None Done;
};
