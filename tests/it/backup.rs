//! Backups of a shop on SQLite: made while it is served, looked over, put in its place.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::id::OrderId;
use engine::backup::unpack::look_over;
use engine::backup::{Fault, Passing, archive};
use engine::db::{DatabaseUrl, Db, Stands, StatementCount, stand_alone, statement};
use entity::order;
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::support::Shop;
use crate::support::buying::eventually;
use crate::support::client::Client;
use crate::support::database::{TestDatabase, on_postgres};
use crate::support::node::{Node, Process, run_alone, run_command};
use crate::support::pictures::{get, made, png};
use crate::support::walker::{Walker, in_stock, new_key};

/// Runs `backup` and what follows; answers whether it ended well and with what it said.
async fn backup(arguments: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
    let output = run_alone(&[&["backup"], arguments].concat(), variables).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

/// The shop of a database as arguments.
struct Named {
    address: String,
    files: String,
}

impl Named {
    fn of(database: &TestDatabase) -> Self {
        Self { address: database.address(), files: database.files().display().to_string() }
    }

    async fn backup(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
        let place = ["--database-url", self.address.as_str(), "--files-dir", self.files.as_str()];
        backup(&[arguments, &place].concat(), variables).await
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What lies in a folder, by name.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

async fn write(database: &TestDatabase, sql: &str) {
    let db = Db::open(&database.url).await.unwrap();
    let conn = db.begin(&StatementCount::default()).await.unwrap();
    conn.execute_raw(statement(&conn, sql, [])).await.unwrap();
    conn.commit().await.unwrap();
    db.close().await;
}

fn file_of(database: &TestDatabase) -> PathBuf {
    match &database.url {
        DatabaseUrl::Sqlite(path) => path.clone(),
        DatabaseUrl::Postgres(_) => unreachable!("these tests are about SQLite"),
    }
}

/// What buyers have seen: how long each request took, and which orders were acknowledged, both with when it began.
#[derive(Default)]
struct Seen {
    took: Vec<(Instant, Duration)>,
    acknowledged: Vec<(Instant, String)>,
}

/// Buys one piece after another, each in four writes, a try each `pace`, until told to stop.
async fn buyer(store: Client, variant: String, pace: Duration, seen: Arc<Mutex<Seen>>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(pace);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let began = Instant::now();
        let walker = Walker::ready(&store, &variant, 1).await;
        let ready = Instant::now();
        let placed = walker.complete(&new_key()).await;
        placed.done();
        let mut seen = seen.lock().await;
        // Three writes are in the first two requests; the last one counts by itself.
        seen.took.push((began, (ready - began) / 2));
        seen.took.push((ready, ready.elapsed()));
        seen.acknowledged.push((Instant::now(), placed.text("cartComplete.order.id")));
    }
}

/// The time that 99 of 100 requests stayed below, of those that began between two moments.
fn p99(seen: &Seen, from: Instant, until: Instant) -> (usize, Duration) {
    let mut took: Vec<Duration> =
        seen.took.iter().filter(|(at, _)| (from..until).contains(at)).map(|(_, took)| *took).collect();
    took.sort();
    (took.len(), took[took.len() * 99 / 100])
}

async fn has_order(db: &Db, id: &str) -> bool {
    let id: OrderId = id.parse().unwrap();
    let conn = db.read(&StatementCount::default());
    order::Entity::find_by_id(id).one(&conn).await.unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_under_load_is_backed_up_with_every_order_that_was_acknowledged_before() {
    if on_postgres() {
        return;
    }
    let database = TestDatabase::copy().await;
    let shop = Named::of(&database);
    let mut node = Node::start(&database, &["--demo", "--rate-address", "off"], &[]).await;
    let owner = node.owner_token().await;
    // Each level of the demo shop that has something has one movement.
    write(&database, "update stock_level set stocked = stocked + 100000 where stocked > 0").await;
    write(&database, "update stock_movement set delta = delta + 100000").await;
    // A copy takes its time.
    write(
        &database,
        "with recursive n (n) as (select 1 union all select n + 1 from n where n < 150)
            insert into setting (key, value) select 'ballast-' || n, hex(randomblob(500000)) from n",
    )
    .await;
    let variant = in_stock(&node.store).await;
    let (seen, stop) = (Arc::new(Mutex::new(Seen::default())), CancellationToken::new());
    let buyers: Vec<_> = (0..8)
        .map(|_| {
            let pace = Duration::from_millis(320);
            tokio::spawn(buyer(node.store.clone(), variant.clone(), pace, seen.clone(), stop.clone()))
        })
        .collect();
    let calm = Instant::now();
    sleep(Duration::from_secs(3)).await;

    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("shop.tar");
    let began = Instant::now();
    let (well, said) = shop.backup(&["create", "--to", text(&to)], &[]).await;
    let ended = Instant::now();
    assert!(well, "{said}");
    sleep(Duration::from_secs(1)).await;
    stop.cancel();
    for buyer in buyers {
        buyer.await.unwrap();
    }
    let seen = seen.lock().await;
    let (before, during) = (p99(&seen, calm, began), p99(&seen, began, ended));
    let size = to.metadata().unwrap().len();
    // Each order took four requests that write.
    let rate = 4.0 * seen.acknowledged.len() as f64 / calm.elapsed().as_secs_f64();
    eprintln!("{size} bytes in {:?}; {rate:.0} writes/s; p99 before {before:?}, during {during:?}", ended - began);
    assert!(size > 150_000_000 && during.0 >= 8, "buyers bought meanwhile: {during:?}");
    // Whoever had to wait for the copy would wait for all of it.
    assert!(during.1 < (ended - began) / 2 + before.1 * 10, "p99 {during:?}, before {before:?}");
    node.process.terminate().await;

    let (well, said) = backup(&["verify", text(&to)], &[]).await;
    assert!(well && said.contains("whole, and 0 broken row(s)"), "{said}");
    assert_eq!(names(folder.path()), ["shop.tar"], "nothing else is left there");

    let other = TestDatabase::empty().await;
    let (well, said) = Named::of(&other).backup(&["restore", text(&to)], &[]).await;
    assert!(well, "{said}");
    let restored = Node::start(&other, &[], &[]).await;
    let db = Db::open(&other.url).await.unwrap();
    let acknowledged: Vec<&String> =
        seen.acknowledged.iter().filter(|(at, _)| *at < began).map(|(_, order)| order).collect();
    assert!(!acknowledged.is_empty(), "{} orders before", acknowledged.len());
    for order in &acknowledged {
        assert!(has_order(&db, order).await, "{order} was acknowledged before the backup began");
    }
    let kept = order::Entity::find().count(&db.read(&StatementCount::default())).await.unwrap();
    // One may be committed and not be told of yet.
    let most = seen.acknowledged.len() as u64 + 8;
    assert!((acknowledged.len() as u64..=most).contains(&kept), "{kept} orders are in it");
    let staff = restored.anonymous_admin.bearer(&owner);
    let shown = staff.send("{ orders(first: 1) { totalCount } }", json!({})).await;
    assert_eq!(shown.at("orders.totalCount"), json!(kept), "what its keys signed still opens it");
    Walker::ready(&restored.store, &variant, 1).await.complete(&new_key()).await.done();
    let checked = run_command(&other, &["check"]).await;
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success() && told.contains("0 broken row(s)"), "{told}");
}

/// A shop with a picture and an order, which is not served by a process of its own.
async fn small_shop() -> (Shop, Value) {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let tee = shop.tee("20.00", 9).await;
    shop.checkout_all(&[(&tee, 2)], "manual", "1").await;
    let medium = made(&shop, "image/png", &png(40, 30), json!({})).await;
    (shop, medium)
}

#[tokio::test]
async fn a_restored_shop_has_its_pictures() {
    if on_postgres() {
        return;
    }
    let (shop, medium) = small_shop().await;
    let (one, folder) = (Named::of(&shop.database), tempfile::tempdir().unwrap());
    let path = medium["url"].as_str().unwrap();
    assert_eq!(get(&shop, &format!("{path}?w=20")).await.status(), 200, "a picture is drawn, which is not backed up");
    let to = folder.path().join("shop.tar");
    let (well, said) = one.backup(&["create", "--to", text(&to)], &[]).await;
    assert!(well && said.contains("  files     1, "), "{said}");
    assert!(said.contains("  not in it emporion.toml, variables (EMPORION_SECRET, keys of providers)"), "{said}");
    // Any tar shows what it is, and the sums can be checked without us.
    let listed = std::process::Command::new("tar").arg("-xvf").arg(&to).current_dir(folder.path()).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(
        listed.starts_with("shop.db\nfiles/content/") && listed.ends_with("manifest.json\nSHA256SUMS\n"),
        "{listed}"
    );
    let mut sums = std::process::Command::new("sha256sum");
    let sums = sums.args(["--check", "SHA256SUMS"]).current_dir(folder.path()).output().unwrap();
    assert!(sums.status.success(), "{sums:?}");

    let database = Arc::new(TestDatabase::empty().await);
    let (well, said) = Named::of(&database).backup(&["restore", text(&to)], &[]).await;
    assert!(well && said.contains("1 file(s) were put into"), "{said}");
    assert!(!database.files().join("content").join("..").join("incoming").exists());
    let restored = Shop::on(database, |builder| builder).await;
    let bytes = get(&restored, path).await.bytes().await.unwrap();
    assert_eq!(bytes, png(40, 30), "the picture is there as it was");
    assert_eq!(get(&restored, &format!("{path}?w=20")).await.status(), 200, "and is drawn anew");

    // A damaged picture is said to be one, and the rest is backed up all the same.
    let hash = listed.lines().nth(1).unwrap();
    std::fs::write(shop.database.files().join(hash.strip_prefix("files/").unwrap()), b"else").unwrap();
    let (well, said) = one.backup(&["create", "--replace", "--to", text(&to)], &[]).await;
    assert!(well && said.contains("  missing   1 file(s)"), "{said}");
    let (well, said) = backup(&["verify", text(&to)], &[]).await;
    assert!(well && said.contains("  missing   1 file(s)"), "{said}");
    let (well, said) = one.backup(&["create", "--without-files", "--replace", "--to", text(&to)], &[]).await;
    assert!(well && said.contains("  files     left out"), "{said}");
}

#[tokio::test]
async fn a_backup_gets_its_name_when_it_is_whole_and_takes_nobody_s_place() {
    if on_postgres() {
        return;
    }
    let (shop, _) = small_shop().await;
    let (one, folder) = (Named::of(&shop.database), tempfile::tempdir().unwrap());
    let to = folder.path().join("shop.tar");
    let create = ["create", "--to", text(&to)];
    let (well, said) = one.backup(&create, &[("EMPORION_FAILPOINT", "backup.name")]).await;
    assert!(!well && !to.exists(), "{said}");
    assert!(names(folder.path()).iter().all(|name| name.starts_with('.')), "{:?}", names(folder.path()));
    let (well, said) = one.backup(&create, &[]).await;
    assert!(well, "{said}");
    assert_eq!(to.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let before = std::fs::read(&to).unwrap();
    let (well, said) = one.backup(&create, &[]).await;
    assert!(!well && said.contains("is there already"), "{said}");
    assert!(std::fs::read(&to).unwrap() == before);
    let (well, said) = one.backup(&["create", "--replace", "--to", text(&to)], &[]).await;
    assert!(well && std::fs::read(&to).unwrap() != before, "{said}");
    let gone = folder.path().join("gone/shop.tar");
    let (well, said) = one.backup(&["create", "--to", text(&gone)], &[]).await;
    assert!(!well && said.contains("can't be written"), "{said}");
    let nowhere = format!("sqlite:{}", folder.path().join("none.db").display());
    let (well, said) = backup(&["create", "--database-url", &nowhere], &[]).await;
    assert!(!well && said.contains("there is no shop in") && !folder.path().join("none.db").exists(), "{said}");
}

/// A file whose disk fails behind what is given.
struct Failing<'b>(&'b [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(into)? {
            0 => Err(std::io::Error::other("the disk does not answer")),
            read => Ok(read),
        }
    }
}

#[tokio::test]
async fn a_backup_that_is_not_what_was_written_is_refused_by_name() {
    if on_postgres() {
        return;
    }
    let (shop, _) = small_shop().await;
    let (one, folder) = (Named::of(&shop.database), tempfile::tempdir().unwrap());
    let to = folder.path().join("shop.tar");
    assert!(one.backup(&["create", "--to", text(&to)], &[]).await.0);
    let whole = std::fs::read(&to).unwrap();
    let broken = folder.path().join("broken.tar");
    let look = |bytes: &[u8]| {
        std::fs::write(&broken, bytes).unwrap();
        let copy = Passing::beside(&folder.path().join("copy"), "db").unwrap();
        look_over(&broken, &copy, &CancellationToken::new()).map(|_| ()).map_err(|fault| fault.to_string())
    };
    look(&whole).unwrap();
    // A byte anywhere: in the first heads, the pages, what fills blocks up, the manifest, the sums, the end.
    let tail = (whole.len() - 6_000..whole.len()).step_by(151);
    let mut told = std::collections::BTreeSet::new();
    for at in (0..600).step_by(37).chain((600..whole.len()).step_by(whole.len() / 20)).chain(tail) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        let fault = look(&bytes).expect_err(&format!("a flipped byte at {at} of {}", whole.len()));
        told.insert(fault.clone());
        assert!(fault.contains("damaged") || fault.contains("cut") || fault.contains("not a backup"), "{at}: {fault}");
    }
    for named in ["shop.db", "manifest.json", "the end of the archive"] {
        assert!(told.contains(&format!("the backup is damaged: {named} is not what was written")), "{named}: {told:?}");
    }
    for length in [0, 100, 512, 1_000, whole.len() / 2, whole.len() - 1_024, whole.len() - 512, whole.len() - 1] {
        let fault = look(&whole[..length]).expect_err(&format!("cut at {length}"));
        assert!(fault.contains(if length < 512 { "not a backup" } else { "cut off" }), "{length}: {fault}");
    }
    // A disk that fails while it is read says nothing of the backup.
    for at in (0..600).step_by(100).chain((600..whole.len()).step_by(whole.len() / 20)).chain([whole.len() - 1_400]) {
        let fault = archive::read(Failing(&whole[..at]), |_| Ok(())).unwrap_err();
        assert!(matches!(fault, Fault::Io(_)), "{at}: {fault}");
    }
    assert!(look(&[whole.clone(), vec![0; 512]].concat()).is_err(), "something behind the end");
    assert_eq!(look(&std::fs::read(file_of(&shop.database)).unwrap()).unwrap_err(), "not a backup of emporion");

    let mut bytes = whole.clone();
    bytes[whole.len() / 2] ^= 1;
    std::fs::write(&broken, &bytes).unwrap();
    let (well, said) = backup(&["verify", text(&broken)], &[]).await;
    assert!(!well && said.contains("broken.tar: the backup is damaged: shop.db is not what was written"), "{said}");
    let other = TestDatabase::empty().await;
    let (well, said) = Named::of(&other).backup(&["restore", text(&broken)], &[]).await;
    assert!(!well && said.contains("the backup is damaged") && !file_of(&other).exists(), "{said}");
}

#[tokio::test]
async fn a_backup_of_another_release_is_told_from_a_damaged_one() {
    if on_postgres() {
        return;
    }
    let (database, folder) = (TestDatabase::copy().await, tempfile::tempdir().unwrap());
    let one = Named::of(&database);
    let to = folder.path().join("shop.tar");
    let create = ["create", "--replace", "--to", text(&to)];
    let (well, said) = one.backup(&create, &[]).await;
    assert!(!well && said.contains("never opened"), "{said}");
    drop(Node::start(&database, &[], &[]).await);
    for (sql, told) in [
        (
            "insert into _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
                values (9999, 'later', '2030-01-01', true, x'00', 1)",
            "a newer release made it: this one doesn't know its migration(s) 9999",
        ),
        (
            "update _sqlx_migrations set checksum = x'01' where version = 9999 or version = 1",
            "a newer release made it: this one doesn't know its migration(s) 1, 9999",
        ),
    ] {
        write(&database, sql).await;
        let (well, said) = one.backup(&create, &[]).await;
        assert!(well, "{said}");
        let (well, said) = backup(&["verify", text(&to)], &[]).await;
        assert!(!well && said.contains(told), "{said}");
        let other = TestDatabase::empty().await;
        let (well, said) = Named::of(&other).backup(&["restore", text(&to)], &[]).await;
        assert!(!well && said.contains(told) && !file_of(&other).exists(), "{said}");
    }

    let old = TestDatabase::copy().await;
    drop(Node::start(&old, &[], &[]).await);
    assert!(run_command(&old, &["migrate", "down"]).await.status.success());
    let (well, said) = Named::of(&old).backup(&create, &[]).await;
    assert!(well, "{said}");
    let bytes = std::fs::read(&to).unwrap();
    let (well, said) = backup(&["verify", text(&to)], &[]).await;
    assert!(well && said.contains("an older release made it: 1 migration(s) are applied when it is served"), "{said}");
    assert!(std::fs::read(&to).unwrap() == bytes, "looking changes nothing");

    // Rows that break a rule are named, and are no reason not to have them back.
    let (shop, _) = small_shop().await;
    write(&shop.database, "update stock_level set reserved = reserved + 1").await;
    assert!(Named::of(&shop.database).backup(&create, &[]).await.0);
    let (well, said) = backup(&["verify", text(&to)], &[]).await;
    assert!(!well && said.contains("what is reserved of a level") && said.contains("1 broken row(s)"), "{said}");
    let (well, said) = Named::of(&TestDatabase::empty().await).backup(&["restore", text(&to)], &[]).await;
    assert!(well, "{said}");
    write(&shop.database, "update stock_level set reserved = reserved - 1").await;
}

async fn orders_in(database: &TestDatabase) -> u64 {
    let db = Db::open(&database.url).await.unwrap();
    let count = order::Entity::find().count(&db.read(&StatementCount::default())).await.unwrap();
    db.close().await;
    count
}

#[tokio::test]
async fn a_backup_takes_the_place_of_a_shop_that_nobody_has_open_and_keeps_what_was_there() {
    if on_postgres() {
        return;
    }
    let (shop, _) = small_shop().await;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("shop.tar");
    assert!(Named::of(&shop.database).backup(&["create", "--to", text(&to)], &[]).await.0);

    let database = TestDatabase::copy().await;
    let (one, file) = (Named::of(&database), file_of(&database));
    let refused = async |told: &str, arguments: &[&str]| {
        let (well, said) = one.backup(&[&["restore", text(&to)], arguments].concat(), &[]).await;
        assert!(!well && said.contains(told), "{said}");
    };
    refused("there is a shop in", &[]).await;
    let mut node = Node::start(&database, &[], &[]).await;
    refused("a process has the shop in", &["--replace"]).await;
    assert!(node.process.terminate().await.success());
    let open = Db::open(&database.url).await.unwrap();
    refused("a process has the shop in", &["--replace"]).await;
    open.close().await;
    let (well, said) =
        one.backup(&["restore", text(&to), "--replace"], &[("EMPORION_FAILPOINT", "backup.place")]).await;
    assert!(!well && orders_in(&database).await == 0, "a machine that is lost leaves the old one: {said}");

    let (well, said) = one.backup(&["restore", text(&to), "--replace"], &[]).await;
    assert!(well && said.contains("what was there is"), "{said}");
    assert_eq!(orders_in(&database).await, 1);
    let kept = names(file.parent().unwrap());
    let kept: Vec<&String> = kept.iter().filter(|name| name.starts_with("shop.db.replaced-")).collect();
    assert!(!kept.is_empty(), "{said}");
    let aside = Db::open_still(&file.with_file_name(kept[0])).await.unwrap();
    assert_eq!(order::Entity::find().count(&aside.read(&StatementCount::default())).await.unwrap(), 0);
    aside.close().await;

    // A database that is beyond reading is what backups are for.
    std::fs::write(&file, vec![7; 20_000]).unwrap();
    std::fs::write(file.with_file_name("shop.db-wal"), b"of the old one").unwrap();
    let (well, said) = one.backup(&["restore", text(&to), "--replace"], &[]).await;
    assert!(well && said.contains("damaged as it was"), "{said}");
    assert_eq!(orders_in(&database).await, 1);
    let checked = run_command(&database, &["check"]).await;
    assert!(checked.status.success(), "{checked:?}");
}

#[tokio::test]
async fn nobody_opens_a_shop_while_a_backup_takes_its_place_and_no_opener_is_overlooked() {
    if on_postgres() {
        return;
    }
    let (shop, _) = small_shop().await;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("shop.tar");
    assert!(Named::of(&shop.database).backup(&["create", "--to", text(&to)], &[]).await.0);

    let database = TestDatabase::copy().await;
    let mut node = Node::start(&database, &[], &[]).await;
    assert!(node.process.terminate().await.success());
    let address = database.address();
    let place = ["--database-url", address.as_str()];
    let restore = [&["restore", text(&to), "--replace"][..], &place].concat();
    let mut worker = Process::start(&[&["worker"][..], &place].concat(), &[]);
    assert!(worker.line().await.starts_with("Emporion works for the shop"));
    let (well, said) = backup(&restore, &[]).await;
    assert!(!well && said.contains("a process has the shop in"), "{said}");
    assert!(worker.terminate().await.success());

    // It stands still right before the name is given away.
    let slow = backup(&restore, &[("EMPORION_FAILPOINT", "delay:backup.place")]);
    let others = async {
        eventually("it is held", async || match Db::open(&database.url).await {
            Ok(db) => {
                db.close().await;
                false
            }
            Err(error) => error.to_string().contains("a backup is being put into the place of"),
        })
        .await;
        for verb in [&["serve", "--listen", "127.0.0.1:0"][..], &["worker"], &["check"], &["migrate", "status"]] {
            let output = run_command(&database, verb).await;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success() && said.contains("a backup is being put into"), "{verb:?}: {said}");
        }
    };
    let ((well, said), ()) = tokio::join!(slow, others);
    assert!(well, "{said}");
    assert_eq!(orders_in(&database).await, 1);

    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, vec![7; 20_000]).unwrap();
    assert_eq!(stand_alone(&garbage).await.unwrap(), Stands::Damaged);
    assert!(stand_alone(folder.path()).await.is_err(), "what can't be looked at is not said to be damaged");
}

#[tokio::test]
async fn what_was_killed_or_called_off_leaves_nothing_behind() {
    if on_postgres() {
        return;
    }
    let (shop, _) = small_shop().await;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("shop.tar");
    let create = ["create", "--replace", "--to", text(&to)];
    let one = Named::of(&shop.database);
    let (well, _) = one.backup(&create, &[("EMPORION_FAILPOINT", "backup.name")]).await;
    assert!(!well && !names(folder.path()).is_empty());
    // Not ours, however it looks.
    let others = [".shop.tar.part", ".notes.0123456789abcdef0123456789abcdef.txt"];
    others.iter().for_each(|name| std::fs::write(folder.path().join(name), b"mine").unwrap());
    let whole = [others[1], others[0], "shop.tar"];
    assert!(one.backup(&create, &[]).await.0);
    assert_eq!(names(folder.path()), whole, "the next one clears up");

    let verify = ["verify", text(&to)];
    let (well, _) = backup(&verify, &[("EMPORION_FAILPOINT", "backup.looked_over")]).await;
    assert!(!well && names(folder.path()).len() > 3);
    let place = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", place.path().join("shop.db").display());
    let restore = ["restore", text(&to), "--database-url", database.as_str()];
    let (well, _) = backup(&restore, &[("EMPORION_FAILPOINT", "backup.looked_over")]).await;
    assert!(!well && names(place.path()).iter().any(|name| name.starts_with(".shop.db.")));
    for arguments in [&verify[..], &restore] {
        let arguments = [&["backup"], arguments].concat();
        let own = if arguments[1] == "verify" { folder.path() } else { place.path() };
        let left = names(own);
        let mut process = Process::start(&arguments, &[("EMPORION_FAILPOINT", "delay:backup.looked_over")]);
        eventually("its copy is there", async || {
            names(own).iter().any(|name| name.starts_with(".shop.") && !left.contains(name))
        })
        .await;
        sleep(Duration::from_millis(300)).await;
        process.signal().await;
        assert!(!process.ended().await.success());
    }
    assert_eq!(names(folder.path()), whole);
    assert_eq!(
        names(place.path()).into_iter().filter(|name| name != "shop.db-lock").count(),
        0,
        "{:?}",
        names(place.path())
    );
    let (well, said) = backup(&restore, &[]).await;
    assert!(well, "{said}");
}
