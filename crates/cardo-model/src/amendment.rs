use crate::codec::{Reader, put_bytes, put_varint};
use crate::{InstanceRef, Iri, NameId, Revision};

/// What is put right in an entity's history, or taken out of it (clauses 5.6.13 to 5.6.16). The
/// entity as it is stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amendment {
    /// One instance says something else, or is gone.
    Instance {
        /// The attribute.
        name: NameId,
        /// Which dataset the instance is of.
        dataset_id: Option<Iri>,
        /// The revision that wrote it.
        revision: Revision,
        /// Its place among the lines of history of that revision.
        ordinal: u32,
        /// What it says now, in the form of [`crate::encode_instance`]; `None` where it is gone.
        is: Option<Box<[u8]>>,
    },
    /// What was written so far of one dataset of an attribute is gone.
    Dataset {
        /// The attribute.
        name: NameId,
        /// The dataset; `None` is that of the default instance.
        dataset_id: Option<Iri>,
    },
    /// What was written so far of an attribute is gone.
    Attribute(NameId),
    /// Everything that was written so far is gone.
    Everything,
}

const INSTANCE: u8 = 0;
const DATASET: u8 = 1;
const ATTRIBUTE: u8 = 2;
const EVERYTHING: u8 = 3;

impl Amendment {
    /// The binary form that logs and stores keep.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Instance { name, dataset_id, revision, ordinal, is } => {
                out.push(INSTANCE);
                put_series(&mut out, *name, dataset_id.as_ref());
                put_varint(&mut out, revision.0);
                put_varint(&mut out, u64::from(*ordinal));
                put_bytes(&mut out, is.as_deref().unwrap_or_default());
            }
            Self::Dataset { name, dataset_id } => {
                out.push(DATASET);
                put_series(&mut out, *name, dataset_id.as_ref());
            }
            Self::Attribute(name) => {
                out.push(ATTRIBUTE);
                put_varint(&mut out, u64::from(name.as_u32()));
            }
            Self::Everything => out.push(EVERYTHING),
        }
        out
    }

    /// Reads the binary form; `None` where the bytes are none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let amendment = match reader.u8()? {
            INSTANCE => {
                let (name, dataset_id) = read_series(&mut reader)?;
                let (revision, ordinal) = (Revision(reader.varint()?), reader.u32()?);
                let is = match reader.bytes()? {
                    [] => None,
                    bytes => InstanceRef::from_bytes(bytes).map(|_| Some(bytes.into()))?,
                };
                Self::Instance { name, dataset_id, revision, ordinal, is }
            }
            DATASET => {
                let (name, dataset_id) = read_series(&mut reader)?;
                Self::Dataset { name, dataset_id }
            }
            ATTRIBUTE => Self::Attribute(NameId::new(reader.u32()?)),
            EVERYTHING => Self::Everything,
            _ => return None,
        };
        reader.is_empty().then_some(amendment)
    }
}

/// No dataset id is empty, so a length of zero stands for none.
fn put_series(out: &mut Vec<u8>, name: NameId, dataset_id: Option<&Iri>) {
    put_varint(out, u64::from(name.as_u32()));
    put_bytes(out, dataset_id.map_or("", Iri::as_str).as_bytes());
}

fn read_series(reader: &mut Reader<'_>) -> Option<(NameId, Option<Iri>)> {
    let name = NameId::new(reader.u32()?);
    let dataset_id = match reader.str()? {
        "" => None,
        text => Some(Iri::new(text).ok()?),
    };
    Some((name, dataset_id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Instance, JsonText, Value, encode_instance};

    #[test]
    fn an_amendment_survives_its_bytes_and_a_cut_one_is_refused() {
        let value = Value::property(JsonText::from_canonical("1"), false);
        let is = Some(encode_instance(&Instance::new(value)));
        let dataset_id = Some(Iri::new("urn:d").unwrap());
        let name = NameId::new(300);
        let instance = |is| Amendment::Instance {
            name,
            dataset_id: dataset_id.clone(),
            revision: Revision(7),
            ordinal: 2,
            is,
        };
        let all = [
            instance(is),
            instance(None),
            Amendment::Dataset { name, dataset_id: None },
            Amendment::Dataset { name, dataset_id: dataset_id.clone() },
            Amendment::Attribute(name),
            Amendment::Everything,
        ];
        for amendment in all {
            let bytes = amendment.encode();
            assert_eq!(Amendment::decode(&bytes), Some(amendment));
            for end in 0..bytes.len() {
                assert_eq!(Amendment::decode(&bytes[..end]), None);
            }
        }
    }
}
