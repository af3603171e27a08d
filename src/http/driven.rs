//! Operations that go on by themselves, whoever reads their results.

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;

/// Drives a stream in a task of its own, which ends with what is returned. A
/// client that takes its messages slowly stops it between two of them alone,
/// never in the middle of a read that others share or wait for.
pub fn driven<T: Send + 'static>(mut stream: BoxStream<'static, T>) -> BoxStream<'static, T> {
    let (sender, receiver) = mpsc::channel(1);
    let task = AbortOnDropHandle::new(tokio::spawn(async move {
        while let Some(item) = stream.next().await {
            if sender.send(item).await.is_err() {
                return;
            }
        }
    }));
    let held = move |item| {
        let _until_dropped = &task;
        item
    };
    ReceiverStream::new(receiver).map(held).boxed()
}
