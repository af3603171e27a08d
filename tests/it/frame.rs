//! The frame: what every noun stands on.

use chrono::{TimeDelta, Utc};
use engine::clock::{Clock, IdSource, RandomIds, SystemClock};
use engine::db::{Db, StatementCount, any, statement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QueryTrait};
use serde_json::json;
use uuid::Uuid;

use crate::support::Shop;
use crate::support::database::TestDatabase;

#[tokio::test]
async fn migrations_go_up_and_down_and_up_again() {
    let database = TestDatabase::empty().await;
    let db = Db::open(&database.url).await.unwrap();
    migration::up(db.admin()).await.unwrap();
    migration::down(db.admin(), usize::MAX).await.unwrap();
    let fresh = migration::pending(db.admin()).await;
    migration::up(db.admin()).await.unwrap();
    migration::down(db.admin(), 2).await.unwrap();
    assert_eq!(migration::pending(db.admin()).await, fresh[fresh.len() - 2..]);
    migration::up(db.admin()).await.unwrap();
    assert_eq!(migration::pending(db.admin()).await, [""; 0]);
    let conn = db.read(&StatementCount::default());
    let count = conn.query_one_raw(statement(&conn, "select count(*) from counter", [])).await.unwrap().unwrap();
    assert_eq!(count.try_get_by_index::<i64>(0).unwrap(), 2);
}

#[tokio::test]
async fn a_shop_of_the_first_days_keeps_its_migrations() {
    let database = TestDatabase::empty().await;
    let db = Db::open(&database.url).await.unwrap();
    migration::up(db.admin()).await.unwrap();
    migration::down(db.admin(), 1).await.unwrap();
    let missing = migration::pending(db.admin()).await;
    let applied = migration::status(db.admin()).await.into_iter().filter(|(_, applied)| *applied);
    db.admin().execute_unprepared("drop table _sqlx_migrations").await.unwrap();
    db.admin().execute_unprepared("create table seaql_migrations (version varchar primary key)").await.unwrap();
    for (name, _) in applied {
        let insert = format!("insert into seaql_migrations (version) values ('{name}')");
        db.admin().execute_unprepared(&insert).await.unwrap();
    }
    migration::up(db.admin()).await.unwrap();
    assert_eq!(missing.len(), 1);
    assert_eq!(migration::pending(db.admin()).await, [""; 0]);
    assert!(db.admin().execute_unprepared("select version from seaql_migrations").await.is_err());
}

#[tokio::test]
async fn times_come_back_to_the_microsecond_and_in_order() {
    let shop = Shop::open().await;
    let base = chrono::DateTime::parse_from_rfc3339("2026-02-03T04:05:06Z").unwrap().with_timezone(&Utc);
    let micros = [0, 1, 500, 1_000, 1_001, 120_000, 123_456, 999_999, 1_000_000];
    let times: Vec<_> = micros.iter().map(|micros| base + TimeDelta::microseconds(*micros)).collect();
    let conn = shop.app.db.begin(&StatementCount::default()).await.unwrap();
    for (place, time) in times.iter().enumerate().rev() {
        let row = entity::signing_key::Model {
            kid: format!("k{place}"),
            secret: vec![0],
            created_at: *time,
            retired_at: Some(*time),
        };
        entity::signing_key::Entity::insert(row.into_active_model()).exec_without_returning(&conn).await.unwrap();
    }
    conn.commit().await.unwrap();
    let kept = entity::signing_key::Entity::find()
        .filter(entity::signing_key::Column::Kid.starts_with("k"))
        .order_by_asc(entity::signing_key::Column::CreatedAt)
        .all(&shop.app.read())
        .await
        .unwrap();
    assert_eq!(kept.iter().map(|row| row.created_at).collect::<Vec<_>>(), times);
}

#[tokio::test]
async fn one_statement_looks_up_any_number_of_ids() {
    let shop = Shop::open().await;
    let conn = shop.app.read();
    let known = entity::channel::Entity::find().one(&conn).await.unwrap().unwrap();
    let find = |ids: Vec<Uuid>| {
        let query = entity::channel::Entity::find().filter(any(&conn, entity::channel::Column::Id, ids));
        (query.build(conn.backend()).sql, query)
    };
    let (one, query) = find(vec![known.id.into()]);
    assert_eq!(query.all(&conn).await.unwrap(), std::slice::from_ref(&known));
    let (many, query) = find(vec![Uuid::nil(), known.id.into(), Uuid::max()]);
    assert_eq!(query.all(&conn).await.unwrap(), [known]);
    assert_eq!(one, many, "the text does not depend on the number");
    let (_, query) = find(vec![]);
    assert_eq!(query.all(&conn).await.unwrap(), []);
}

#[tokio::test]
async fn ids_rise_within_a_process() {
    let ids = RandomIds::default();
    let made: Vec<_> = (0..1_000).map(|_| ids.next(SystemClock.now())).collect();
    assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
}

#[tokio::test]
async fn events_are_dense_per_aggregate_and_positions_are_dense_over_all() {
    let shop = Shop::open().await;
    for number in 0..5 {
        let input = json!({ "name": format!("Channel {number}") });
        shop.set("channelCreate", input, "channel { id }").await.done();
    }
    let conn = shop.app.read();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let events = loop {
        let events =
            entity::event::Entity::find().order_by_asc(entity::event::Column::Sequence).all(&conn).await.unwrap();
        if events.iter().all(|event| event.position.is_some()) || std::time::Instant::now() > deadline {
            break events;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let sequences: Vec<_> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..=events.len() as i64).collect::<Vec<_>>());
    let positions: Vec<_> = events.iter().map(|event| event.position.unwrap()).collect();
    assert_eq!(positions, sequences, "one aggregate: positions follow its sequence");
}

#[tokio::test]
async fn what_staff_do_is_kept_with_before_and_after() {
    let shop = Shop::open().await;
    let created = shop.set("channelCreate", json!({ "name": "Web" }), "channel { id }").await.done();
    let id = created["channel"]["id"].as_str().unwrap().to_owned();
    shop.set("channelUpdate", json!({ "id": id, "name": "App" }), "channel { id }").await.done();
    let kept = entity::audit_entry::Entity::find()
        .filter(entity::audit_entry::Column::Entity.eq(&id))
        .order_by_asc(entity::audit_entry::Column::Id)
        .all(&shop.app.read())
        .await
        .unwrap();
    assert_eq!(kept.iter().map(|entry| entry.op.as_str()).collect::<Vec<_>>(), ["channel.create", "channel.update"]);
    assert_eq!(kept[1].before.as_ref().unwrap()["name"], "Web");
    assert_eq!(kept[1].after.as_ref().unwrap()["name"], "App");
    assert!(kept[1].actor.starts_with("staff_"));
}
