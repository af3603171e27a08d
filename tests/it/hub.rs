//! What many wait for is read once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use emporion::http::driven::driven;
use engine::bus::Wakes;
use engine::error::{Error, Result};
use engine::hub::{Hub, Question, Shared};
use futures_util::future::join_all;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::watch;
use uuid::Uuid;

fn unwoken() -> Wakes {
    watch::Sender::new(0).subscribe().into()
}

async fn slowly(reads: &AtomicU32) -> Result<u32> {
    let read = reads.fetch_add(1, Ordering::Relaxed) + 1;
    tokio::time::sleep(Duration::from_millis(20)).await;
    Ok(read)
}

#[tokio::test]
async fn one_reads_for_all_who_ask_meanwhile_and_for_those_who_come_later() {
    let (wake, reads) = (watch::Sender::new(1), AtomicU32::new(0));
    let shared = Shared::<u32>::new(wake.subscribe().into());
    let ask = || shared.read(|reading| reading.wakes >= 1, |_| slowly(&reads));
    let told = join_all((0..50).map(|_| ask())).await;
    assert!(told.iter().all(|told| told.as_ref().unwrap().value == 1));
    assert_eq!(ask().await.unwrap().value, 1);
    wake.send(2).unwrap();
    let woken = shared.read(|reading| reading.wakes >= 2, |_| slowly(&reads)).await;
    assert_eq!(woken.unwrap().value, 2, "a wake-up asks for a new reading");
}

#[tokio::test]
async fn what_fails_is_tried_again_by_one_after_a_rest() {
    let (shared, tries) = (Shared::<u32>::new(unwoken()), AtomicU32::new(0));
    let fail = || async {
        tries.fetch_add(1, Ordering::Relaxed);
        Err(Error::internal("away"))
    };
    let told = join_all((0..50).map(|_| shared.read(|_| true, |_| fail()))).await;
    assert!(told.iter().all(Result::is_err));
    assert_eq!(tries.load(Ordering::Relaxed), 1);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(shared.read(|_| true, |_| async { Ok(7) }).await.unwrap().value, 7);
}

#[tokio::test]
async fn an_answer_is_worked_out_once_for_the_same_question() {
    let (hub, worked) = (Hub::default(), AtomicU32::new(0));
    let ask = async |question: Question| {
        let work = || async { Ok::<_, Error>(Arc::from(worked.fetch_add(1, Ordering::Relaxed).to_string())) };
        hub.answer(question, work).await.unwrap().to_string()
    };
    let first: Question = (Uuid::nil(), 1, 1, 7);
    for _ in 0..10 {
        assert_eq!(ask(first).await, "0");
    }
    assert_eq!(ask((Uuid::nil(), 1, 2, 7)).await, "1");
    assert_eq!(ask((Uuid::nil(), 1, 1, 8)).await, "2");
    tokio::time::sleep(Duration::from_millis(5_100)).await;
    assert_eq!(ask(first).await, "3", "it is not told for ever");
    for number in 0..5_000 {
        ask((Uuid::nil(), number, 9, 9)).await;
    }
    assert!(hub.work().answers <= 1_024, "{hub:?}");
}

#[tokio::test]
async fn what_nobody_holds_is_forgotten() {
    let hub = Hub::default();
    let held = hub.shared::<u32>(Uuid::nil(), Uuid::nil(), unwoken);
    for number in 1..10_000 {
        hub.shared::<u32>(Uuid::from_u128(number), Uuid::nil(), unwoken);
    }
    assert!(hub.work().shared < 100, "{hub:?}");
    assert!(Arc::ptr_eq(&held, &hub.shared::<u32>(Uuid::nil(), Uuid::nil(), unwoken)));
}

/// Whoever does not take his messages is not asked for them either: what he was in the middle of must go on without him.
#[tokio::test]
async fn who_takes_his_messages_slowly_holds_up_nobody() {
    let shared = Arc::new(Shared::<u32>::new(unwoken()));
    let (mine, reads) = (shared.clone(), Arc::new(AtomicU32::new(0)));
    let slow = stream::once(async move { mine.read(|_| false, |_| async move { slowly(&reads).await }).await });
    let mut messages = driven(slow.boxed());
    assert!(messages.next().now_or_never().is_none());
    tokio::time::sleep(Duration::from_millis(5)).await;
    let other = shared.read(|reading| reading.value == 1, |_| async { Ok(2) });
    let other = tokio::time::timeout(Duration::from_secs(1), other).await.expect("in time");
    assert_eq!(other.unwrap().value, 1);
}
