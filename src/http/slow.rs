//! Clients that take their time: how long a request may take to come in.
//!
//! The head of a request has [`HEAD`] from its first byte, that of a
//! connection's first request from the moment it connects. A body has
//! [`BODY`]; uploads have a time of their own. A connection may wait for its
//! next request for [`IDLE`], longer than proxies hold theirs, so that none of
//! them sends a request into one that is just being closed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::answer::bad;

/// How long the head of a request may take.
pub const HEAD: Duration = Duration::from_secs(10);
/// How long the body of an operation may take.
pub const BODY: Duration = Duration::from_secs(30);
/// How long a connection may wait for its next request.
pub const IDLE: Duration = Duration::from_secs(75);

const WAITS: u8 = 0;
const HEARS: u8 = 1;
const WORKS: u8 = 2;

/// What a connection is doing.
#[derive(Debug, Clone)]
pub struct Phase(Arc<AtomicU8>);

impl Phase {
    /// A client has just connected, to ask for something.
    pub fn connected() -> Self {
        Self(Arc::new(AtomicU8::new(HEARS)))
    }

    /// A request was heard.
    pub fn works(&self) {
        self.0.store(WORKS, Ordering::Relaxed);
    }

    /// It was answered.
    pub fn waits(&self) {
        self.0.store(WAITS, Ordering::Relaxed);
    }

    /// Bytes have come; whether they begin a request.
    fn heard(&self) -> bool {
        self.0.compare_exchange(WAITS, HEARS, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn hears(&self) -> bool {
        self.0.load(Ordering::Relaxed) == HEARS
    }
}

/// A connection whose client may take so long for the head of a request.
#[derive(Debug)]
pub struct Patient {
    stream: TcpStream,
    phase: Phase,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    /// Watches over a connection in this phase.
    pub fn new(stream: TcpStream, phase: Phase) -> Self {
        Self { stream, phase, deadline: None }
    }
}

impl AsyncRead for Patient {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buffer) {
            Poll::Ready(read) => {
                if buffer.filled().len() > before && this.phase.heard() {
                    this.deadline = None;
                }
                Poll::Ready(read)
            }
            Poll::Pending if this.phase.hears() => {
                let deadline = this.deadline.get_or_insert_with(|| Box::pin(sleep(HEAD)));
                ready!(deadline.as_mut().poll(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => {
                this.deadline = None;
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// A body that must have come in time.
struct Hurried {
    body: Body,
    deadline: Option<Pin<Box<Sleep>>>,
    late: Arc<AtomicBool>,
}

impl HttpBody for Hurried {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        ready!(self.deadline.get_or_insert_with(|| Box::pin(sleep(BODY))).as_mut().poll(cx));
        self.late.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(io::Error::from(io::ErrorKind::TimedOut)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Answers a request whose body does not come in time.
pub async fn hurry(request: Request, next: Next) -> Response {
    let late = Arc::new(AtomicBool::new(false));
    let told = late.clone();
    let answer = next.run(request.map(|body| Body::new(Hurried { body, deadline: None, late: told }))).await;
    if !late.load(Ordering::Relaxed) {
        return answer;
    }
    let message = format!("The body did not come within {} seconds.", BODY.as_secs());
    let mut answer = bad(StatusCode::REQUEST_TIMEOUT, "BODY_TOO_SLOW", &message);
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}
