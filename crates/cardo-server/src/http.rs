//! Accepts connections, hands requests to the router, and stops without cutting an answer short.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::UPGRADE;
use axum::response::{IntoResponse, Response};
use cardo_http::{Cors, Opening, Reach, Secure};
use futures_util::FutureExt;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::config::LimitsConfig;
use crate::tls::Tls;
use crate::too_long::Explained;
use crate::unread::Reading;

/// How long accepting pauses when the system has no more descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a client may go on sending after the last answer of a connection.
const LINGER: Duration = Duration::from_secs(5);

/// Why the server does not listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Another program has the port.
    #[error(
        "cannot listen on {address}: port {port} is taken by another program; choose another with \
         `--listen {host}:{next}`, or let the system choose with `--listen {host}:0`"
    )]
    Taken {
        /// What was asked for.
        address: String,
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
        /// One to try.
        next: u16,
    },
    /// The text is no address, or not one of this machine.
    #[error(
        "cannot listen on {address:?}: {reason}; an address looks like 127.0.0.1:8787 or [::]:8787"
    )]
    Address {
        /// What was asked for.
        address: String,
        /// What the system said.
        reason: io::Error,
    },
}

/// Binds an address such as `127.0.0.1:8787`.
pub fn listen(address: &str) -> Result<StdListener, ListenError> {
    let refused = |reason: io::Error| ListenError::Address { address: address.into(), reason };
    match StdListener::bind(address) {
        Ok(listener) => {
            listener.set_nonblocking(true).map_err(refused)?;
            Ok(listener)
        }
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
            let port: u16 = port.parse().unwrap_or(0);
            Err(ListenError::Taken {
                address: address.into(),
                host: host.into(),
                port,
                next: port.checked_add(1).unwrap_or(8787),
            })
        }
        Err(error) => Err(refused(error)),
    }
}

/// How clients reach the server, and which pages may use it.
#[derive(Clone)]
pub(crate) struct Clients {
    pub(crate) reach: Reach,
    pub(crate) cors: Arc<Cors>,
    pub(crate) tls: Option<Arc<Tls>>,
}

/// Serves until `shutdown` is done, then stops accepting and lets requests under way finish, for
/// as long as the limits say.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    clients: Clients,
    limits: &LimitsConfig,
    shutdown: impl Future<Output = ()>,
) {
    let permits = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
    let connection = Connection {
        router,
        clients,
        builder: builder(limits),
        patience: limits.header_timeout.as_duration(),
        stopping: CancellationToken::new(),
    };
    let mut open = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            (stream, peer, permit) = accept(&listener, &permits) => {
                open.spawn(connection.clone().run(stream, peer, permit));
                while open.try_join_next().is_some() {}
            }
        }
    }
    drop(listener);
    connection.stopping.cancel();
    let deadline = limits.shutdown_timeout.as_duration();
    let all = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(deadline, all).await.is_err() {
        tracing::warn!(connections = open.len(), ?deadline, "closed connections that were busy");
    }
}

fn builder(limits: &LimitsConfig) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        // Their case means nothing, but some clients look for `Location` as it is commonly written.
        .title_case_headers(true)
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout.as_duration());
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(256);
    builder
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let permit = Arc::clone(permits).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are small and written whole: waiting for more only costs time.
                let _ = stream.set_nodelay(true);
                return (stream, peer, permit);
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[derive(Clone)]
struct Connection {
    router: Router,
    clients: Clients,
    builder: Builder<TokioExecutor>,
    /// How long a client may take to agree on TLS.
    patience: Duration,
    stopping: CancellationToken,
}

impl Connection {
    async fn run(self, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
        let lingering = stream.as_fd().try_clone_to_owned();
        let Some(tls) = self.clients.tls.clone() else {
            return self.talk(stream, lingering, peer, permit).await;
        };
        match tokio::time::timeout(self.patience, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.talk(stream, lingering, peer, permit).await,
            Ok(Err(error)) => tracing::debug!(%error, "a client does not speak TLS as it should"),
            Err(_) => tracing::debug!("a client took too long to agree on TLS"),
        }
    }

    async fn talk<S>(
        self,
        stream: S,
        lingering: io::Result<OwnedFd>,
        peer: SocketAddr,
        permit: OwnedSemaphorePermit,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = self.router;
        let Clients { reach, cors, tls } = self.clients;
        let is_secure = tls.is_some();
        let via = reach.via(peer.ip());
        let permit = Arc::new(permit);
        let upgrading = Arc::new(AtomicBool::new(false));
        let (held, upgrades) = (permit.clone(), upgrading.clone());
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let (request, reading) = Reading::of(request);
            let mut request = cardo_http::strip_tenant(request);
            if request.headers().contains_key(UPGRADE) {
                // Who takes the connection over keeps the extensions, and by them its place.
                request.extensions_mut().insert(held.clone());
                upgrades.store(true, Ordering::Relaxed);
            }
            if let Some(via) = &via {
                request.extensions_mut().insert(via.clone());
            }
            if is_secure {
                request.extensions_mut().insert(Secure);
            }
            let opening = Opening::of(&cors, &mut request);
            let (mut router, cors) = (router.clone(), cors.clone());
            async move {
                let response = match opening {
                    Opening::Answered(response) => {
                        drop(request);
                        response
                    }
                    Opening::Open(closing) => {
                        closing.close(&cors, answer(router.call(request)).await?)
                    }
                };
                Ok::<_, Infallible>(reading.finish(response).await)
            }
        });
        let mut serving = pin!(
            self.builder
                .serve_connection_with_upgrades(TokioIo::new(Explained::new(stream)), service)
        );
        let mut stopped = pin!(self.stopping.cancelled());
        let result = tokio::select! {
            result = &mut serving => result,
            () = &mut stopped => {
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        };
        if let Err(error) = result {
            // A client that goes away or speaks no HTTP is its own matter.
            tracing::debug!(%error, "a connection ended early");
        }
        let is_over = self.stopping.is_cancelled() || upgrading.load(Ordering::Relaxed);
        if let (Ok(socket), false) = (lingering, is_over) {
            let _ = tokio::time::timeout(LINGER, linger(socket)).await;
        }
        drop(permit);
    }
}

/// Reads and forgets what a client still sends behind an answer that refused it: closing a socket
/// with unread data would reset the connection, and the client would never see the answer.
async fn linger(socket: OwnedFd) -> io::Result<()> {
    let mut stream = TcpStream::from_std(StdStream::from(socket))?;
    stream.shutdown().await?;
    let mut forgotten = vec![0; 64 * 1024];
    while stream.read(&mut forgotten).await? > 0 {}
    Ok(())
}

/// An answer comes whatever happens in a handler: a panic is a bug, and costs one request.
async fn answer(
    answering: impl Future<Output = Result<Response, Infallible>>,
) -> Result<Response, Infallible> {
    AssertUnwindSafe(answering).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("a request has met a bug and was answered with 500");
        Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response())
    })
}

/// Whether an address can be reached from this machine alone.
pub(crate) fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}
