//! A notification provider that says what the test wants, and keeps what it took.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::id::NotificationId;
use domain::notification::{NotificationState, NotificationTemplate};
use engine::event::last_position;
use engine::notification::{repo, worker};
use engine::provider::notification::{Failure, Mail, Mailer, NotificationProvider};
use sea_orm::ConnectionTrait;

use super::Shop;
use super::buying::eventually;
use super::database::TestDatabase;

/// The provider `post`: it takes every mail unless the script says otherwise.
#[derive(Debug, Default)]
pub struct Post {
    script: Mutex<VecDeque<Failure>>,
    taken: Mutex<Vec<Mail>>,
    asked: AtomicUsize,
}

impl Post {
    /// Says this to the next mails, one after the other.
    pub fn will_say(&self, script: impl IntoIterator<Item = Failure>) {
        self.script.lock().unwrap().extend(script);
    }

    /// What it took.
    pub fn taken(&self) -> Vec<Mail> {
        self.taken.lock().unwrap().clone()
    }

    /// The last one that it took.
    pub fn last(&self) -> Mail {
        self.taken().pop().expect("a mail")
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The shop's way to it.
    pub fn mailer(self: &Arc<Self>) -> Mailer {
        Mailer { provider: Some(self.clone()), from: Some("Orders <orders@shop.example>".parse().unwrap()) }
    }
}

#[async_trait]
impl NotificationProvider for Post {
    fn name(&self) -> &'static str {
        "post"
    }

    async fn send(&self, mail: &Mail) -> Result<(), Failure> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        // Long enough for a second sender to be at it, if there were one.
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        if let Some(failure) = self.script.lock().unwrap().pop_front() {
            return Err(failure);
        }
        self.taken.lock().unwrap().push(mail.clone());
        Ok(())
    }

    async fn forget(&self, id: NotificationId) -> Result<(), Failure> {
        self.taken.lock().unwrap().retain(|mail| mail.id != id);
        Ok(())
    }

    async fn check(&self) -> Result<String, String> {
        Ok("the post is open".to_owned())
    }
}

/// A shop in Germany, prices with tax, whose mail goes to [`Post`].
pub async fn post_shop() -> (Shop, Arc<Post>) {
    let post = Arc::new(Post::default());
    let mailer = post.mailer();
    let shop = Shop::on(Arc::new(TestDatabase::copy().await), |builder| builder.mail(mailer)).await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual"]).await;
    (shop, post)
}

impl Shop {
    /// Waits until the log is read and nothing is due or under way.
    pub async fn mail_is_done(&self) {
        eventually("all mail is dealt with", async || {
            worker::work(&self.app).await.unwrap();
            let conn = self.app.read();
            let ask = engine::db::statement(&conn, "select count(*) from event where position is null", []);
            let waiting: i64 = conn.query_one_raw(ask).await.unwrap().unwrap().try_get_by_index(0).unwrap();
            let read = repo::position(&conn).await.unwrap() == last_position(&conn).await.unwrap();
            let due = repo::due(&conn, self.app.clock.now(), 1).await.unwrap();
            let sending = repo::count_in(&conn, &[NotificationState::Sending]).await.unwrap();
            waiting == 0 && read && due.is_empty() && sending == 0
        })
        .await;
    }
}

/// The kinds and states of all mail, in the order in which it was asked for.
pub async fn kinds(shop: &Shop) -> Vec<(NotificationTemplate, NotificationState)> {
    use sea_orm::{EntityTrait, QueryOrder};
    let rows = entity::notification::Entity::find()
        .order_by_asc(entity::notification::Column::CreatedAt)
        .order_by_asc(entity::notification::Column::Id)
        .all(&shop.app.read())
        .await
        .unwrap();
    rows.into_iter().map(|row| (row.template, row.state)).collect()
}
