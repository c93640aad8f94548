//! Opening a file: a new one, an older or newer one, a damaged one.

use super::*;

#[test]
fn a_fresh_ledger_has_a_random_installation_id_that_stays() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).installation_id().to_owned();
    assert_eq!(Uuid::parse_str(&first).unwrap().get_version_num(), 4);
    assert_eq!(open(dir.path()).installation_id(), first);

    let (_other_dir, other) = fresh();
    assert_ne!(other.installation_id(), first);
}

#[test]
fn missing_directories_are_made_for_their_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("望城/ledger");
    open(&deep);
    assert!(deep.join("ledger.db").is_file());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&deep).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn a_program_of_a_version_that_does_not_share_keeps_others_out() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let lock = fs::File::options()
        .write(true)
        .open(dir.path().join("ledger.lock"))
        .unwrap();
    lock.lock().unwrap();
    let error = Ledger::open(dir.path(), noon()).unwrap_err();
    assert!(
        matches!(&error, Error::InUse { dir: held } if held == dir.path()),
        "{error}"
    );
    assert!(error.to_string().contains("in use by another program"));
    lock.unlock().unwrap();
    open(dir.path());
}

#[test]
fn everything_is_there_after_reopening() {
    let (dir, ledger) = fresh();
    ledger.set_setting("language", "zh-CN").unwrap();
    ledger.upsert_account(&account("a1", "北京")).unwrap();
    let asked = operation("server.create");
    ledger.record(&asked).unwrap();
    ledger
        .mark_sent(&asked.id, Some("s1"), Some("j1"), noon())
        .unwrap();
    let events = ledger
        .append(vec![event("server.seen"), event("session.opened")])
        .unwrap();
    let delivery = ledger.advance("hei", 1, noon()).unwrap();
    let servers = vec![("s1".to_owned(), "{}".to_owned())];
    ledger.put_servers("a1", &servers, noon()).unwrap();
    let operation = ledger.operation(&asked.id).unwrap();
    drop(ledger);

    let ledger = open(dir.path());
    assert_eq!(ledger.setting("language").unwrap().as_deref(), Some("zh-CN"));
    assert_eq!(ledger.accounts().unwrap(), [account("a1", "北京")]);
    assert_eq!(ledger.operation(&asked.id).unwrap(), operation);
    assert_eq!(all_events(&ledger), events);
    assert_eq!(ledger.delivery("hei").unwrap(), delivery);
    assert_eq!(ledger.servers("a1").unwrap(), (servers, Some(noon())));
}

#[test]
fn a_damaged_file_is_set_aside_and_a_fresh_ledger_begun() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = open(dir.path());
    ledger
        .append((0..2000).map(|_| event("server.seen")).collect())
        .unwrap();
    let old_id = ledger.installation_id().to_owned();
    drop(ledger);
    let file = dir.path().join("ledger.db");
    let mut bytes = fs::read(&file).unwrap();
    // Whole pages in the middle, behind a header that still looks right.
    let middle = bytes.len() / 2;
    bytes[middle..middle + 16_384].fill(0xA5);
    fs::write(&file, &bytes).unwrap();

    let Opened {
        ledger, set_aside, ..
    } = Ledger::open(dir.path(), noon()).unwrap();
    let aside = dir.path().join("ledger.damaged-20251103T120000Z.db");
    assert_eq!(set_aside.as_deref(), Some(aside.as_path()));
    assert_eq!(
        fs::read(&aside).unwrap(),
        bytes,
        "what is left of the old file is kept as it was"
    );
    assert_eq!(ledger.last_seq().unwrap(), 0);
    assert_ne!(
        ledger.installation_id(),
        old_id,
        "numbers begin again, so under another installation"
    );
    ledger.append(vec![event("server.seen")]).unwrap();
    drop(ledger);
    assert_eq!(open(dir.path()).last_seq().unwrap(), 1);
}

#[test]
fn a_file_that_is_no_database_is_set_aside_under_a_name_of_its_own_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for text in [
        "not a database, but long enough to be looked at as if it were one. ".repeat(40),
        "a few bytes".into(),
    ] {
        fs::write(dir.path().join("ledger.db"), &text).unwrap();
        let opened = Ledger::open(dir.path(), noon()).unwrap();
        let aside = opened.set_aside.unwrap();
        assert_eq!(fs::read_to_string(&aside).unwrap(), text);
        names.push(aside.file_name().unwrap().to_owned());
    }
    assert_eq!(
        names,
        [
            "ledger.damaged-20251103T120000Z.db",
            "ledger.damaged-20251103T120000Z-2.db"
        ]
    );
}

#[test]
fn a_newer_schema_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let file = dir.path().join("ledger.db");
    let connection = Connection::open(&file).unwrap();
    connection.pragma_update(None, "user_version", 900).unwrap();
    connection.close().unwrap();
    let before = fs::read(&file).unwrap();

    let error = Ledger::open(dir.path(), noon()).unwrap_err();
    assert!(
        matches!(error, Error::NewerSchema { found: 900, known: 3 }),
        "{error}"
    );
    assert_eq!(
        error.to_string(),
        "the ledger has schema version 900, and this program knows versions up to 3"
    );
    assert_eq!(fs::read(&file).unwrap(), before);
    assert!(
        !fs::read_dir(dir.path())
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().contains("damaged") })
    );
}

#[test]
fn a_file_of_version_0_is_brought_forward() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ledger.db");
    let connection = Connection::open(&file).unwrap();
    // A real, empty database: it has a header, unlike a file of no bytes.
    connection
        .execute_batch("CREATE TABLE t (x); DROP TABLE t;")
        .unwrap();
    connection.close().unwrap();
    assert!(fs::metadata(&file).unwrap().len() > 0);

    let ledger = open(dir.path());
    ledger.append(vec![event("server.seen")]).unwrap();
    drop(ledger);
    let version: i64 = Connection::open(&file)
        .unwrap()
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, 3);
}
