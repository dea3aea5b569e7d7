//! HTTP mechanics that the faces of Cardo share: problem documents, content negotiation, who asks,
//! bodies with a limit, query strings, links and paging, where the server is reached, revisions,
//! entity tags, other origins, compression. It knows no protocol.

mod access;
mod base_url;
mod body;
mod coded;
mod compress;
mod cors;
mod etag;
mod exchange;
mod links;
mod media;
mod observe;
mod params;
mod problem;
mod reach;
mod revision;
mod tenant;

pub use access::{
    Access, AllowAll, Authorize, Denied, Granted, Rights, TenantPrefix, bearer_token, strip_tenant,
};
pub use base_url::{BaseUrl, InvalidReach, Reach, Secure, Via};
pub use body::{BodyError, read_body};
pub use coded::{CodedForms, CodedRoom};
pub use compress::takes_coding;
pub use cors::{Cors, ForeignPage, InvalidOrigin, PostedReads};
pub use etag::{EntityTags, is_known, tagged};
pub use exchange::{Closing, Opening};
pub use links::{LinkValue, PageLinks, parse_links};
pub use media::{MediaRange, best_media_type, media_type_of};
pub use observe::Observer;
pub use params::{ParamError, Params, path_decode, query_decode};
pub use problem::{ErrorKind, Problem};
pub use reach::{far, reach};
pub use revision::{MIN_REVISION, REVISION, min_revision, revision_header};
pub use tenant::{AT, InvalidTenant, TENANT, asked_twin};
