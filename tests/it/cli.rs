//! The command line's settings.

use std::process::Command;

fn emporion(folder: &std::path::Path, args: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_emporion"))
        .args(args)
        .current_dir(folder)
        .env_remove("EMPORION_DATABASE_URL")
        .env_remove("EMPORION_DATA_DIR")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

#[test]
fn a_flag_beats_a_variable_and_a_variable_beats_the_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("emporion.toml"), "data_dir = \"from-file\"\n").unwrap();
    let (done, text) = emporion(folder.path(), &["migrate", "up"]);
    assert!(done && folder.path().join("from-file/shop.db").exists(), "{text}");
    let (done, text) = emporion(folder.path(), &["migrate", "up", "--data-dir", "from-flag"]);
    assert!(done && folder.path().join("from-flag/shop.db").exists(), "{text}");
}

#[test]
fn a_file_with_an_unknown_key_is_refused_with_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("emporion.toml"), "databse_url = \"sqlite:x.db\"\n").unwrap();
    let (done, text) = emporion(folder.path(), &["migrate", "up"]);
    assert!(!done && text.contains("databse_url") && text.contains("database_url"), "{text}");
}

#[test]
fn a_command_without_a_shop_says_what_to_do_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["migrate", "status"][..], &["staff", "create", "--email", "a@b.c", "--name", "A"]] {
        let (done, text) = emporion(folder.path(), args);
        assert!(!done && text.contains("migrate up"), "{text}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
