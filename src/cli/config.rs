//! `emporion.toml`: the same keys as the flags and the `EMPORION_…` variables.
//! A flag beats a variable, a variable beats the file.

use std::path::PathBuf;

use clap::Command;

/// Every key, by the name of its flag without the dashes.
const KEYS: &[&str] = &["data_dir", "database_url", "files_dir", "listen", "max_upload", "redis_url"];
/// Names another file.
const VARIABLE: &str = "EMPORION_CONFIG";

/// The command with the file's values as its defaults. Without a file it is
/// as it was; a file that can't be used is an error in words.
pub fn with_file(command: Command) -> Result<Command, String> {
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    let path = named.clone().unwrap_or_else(|| PathBuf::from("emporion.toml"));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => return Ok(command),
        Err(error) => return Err(format!("{} can't be read: {error}", path.display())),
    };
    let values = read(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(apply(command, &values))
}

fn read(text: &str) -> Result<Vec<(String, String)>, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let value = |(key, value): (String, toml::Value)| match value {
        _ if !KEYS.contains(&key.as_str()) => Err(format!("there is no key {key:?}; the keys are {}", KEYS.join(", "))),
        toml::Value::String(text) => Ok((key, text)),
        _ => Err(format!("{key} is a text in quotes")),
    };
    table.into_iter().map(value).collect()
}

fn apply(command: Command, values: &[(String, String)]) -> Command {
    let command = command.mut_args(|argument| {
        let value = values.iter().find(|(key, _)| argument.get_id() == key.as_str());
        match value {
            Some((_, value)) => argument.default_value(value.clone()),
            None => argument,
        }
    });
    command.mut_subcommands(|inner| apply(inner, values))
}
