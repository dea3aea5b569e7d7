//! Tells the service manager how far the server is: the protocol of `sd_notify(3)`, which is one
//! datagram a state to the socket that `NOTIFY_SOCKET` names.

use std::ffi::OsStr;
use std::io;
use std::os::unix::net::{SocketAddr as SocketName, UnixDatagram};

/// The service manager that started this process, if one did that wants to know.
#[derive(Clone, Debug)]
pub(crate) struct Supervisor {
    socket: Option<SocketName>,
}

impl Supervisor {
    /// The one that the environment names.
    pub(crate) fn of_environment() -> Self {
        let socket = std::env::var_os("NOTIFY_SOCKET").and_then(|name| match socket_of(&name) {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!(socket = ?name, %error, "NOTIFY_SOCKET names no socket");
                None
            }
        });
        Self { socket }
    }

    /// The server answers, and what it kept is loaded.
    pub(crate) fn ready(&self, url: &str) {
        self.tell(&format!("READY=1\nSTATUS=Listens on {url}"));
    }

    /// The server takes no more requests and ends.
    pub(crate) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=Ends the requests that are under way");
    }

    fn tell(&self, state: &str) {
        let Some(socket) = &self.socket else { return };
        let sent =
            UnixDatagram::unbound().and_then(|from| from.send_to_addr(state.as_bytes(), socket));
        if let Err(error) = sent {
            tracing::warn!(%error, "the service manager could not be told");
        }
    }
}

/// A name that begins with `@` is of the abstract namespace of Linux.
fn socket_of(name: &OsStr) -> io::Result<SocketName> {
    #[cfg(target_os = "linux")]
    if let Some(name) = name.as_encoded_bytes().strip_prefix(b"@") {
        return <SocketName as std::os::linux::net::SocketAddrExt>::from_abstract_name(name);
    }
    SocketName::from_pathname(name)
}
