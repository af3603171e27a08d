//! `emporion.toml`: the same keys as the flags and the `EMPORION_…` variables.
//! A flag beats a variable, a variable beats the file.

use std::path::PathBuf;

use clap::{Args, Command, Subcommand};

use engine::db::DatabaseUrl;
use engine::error::{Error, Result as Outcome};

/// Every key, by the name of its flag without the dashes.
const KEYS: &[&str] = &[
    "allowed_origins",
    "answer_cache",
    "answer_cache_bytes",
    "answer_max_age",
    "answer_stale",
    "data_dir",
    "database_url",
    "files_dir",
    "graphiql",
    "health_listen",
    "identity_providers",
    "legacy_sockets",
    "listen",
    "log_format",
    "mail_dir",
    "mail_from",
    "mail_provider",
    "mail_smtp_host",
    "mail_smtp_password",
    "mail_smtp_port",
    "mail_smtp_tls",
    "mail_smtp_user",
    "max_aliases",
    "max_cost",
    "max_depth",
    "max_directives",
    "max_document",
    "max_list",
    "max_root_fields",
    "max_selections",
    "max_tokens",
    "max_upload",
    "metrics_listen",
    "persisted_queries",
    "production",
    "rate_address",
    "rate_api_key",
    "rate_customer",
    "rate_providers",
    "rate_staff",
    "redis_url",
    "shutdown_grace",
    "sockets_per_address",
    "stripe_api",
    "stripe_secret_key",
    "stripe_webhook_secret",
    "trusted_documents",
    "trusted_only",
    "trusted_proxies",
    "vault_secret",
];
/// Keys whose value is never shown.
const SECRET: &[&str] = &["mail_smtp_password", "stripe_secret_key", "stripe_webhook_secret", "vault_secret"];
/// Names another file.
const VARIABLE: &str = "EMPORION_CONFIG";

/// The command with the file's values as its defaults. Without a file it is
/// as it was; a file that can't be used is an error in words.
pub fn with_file(command: Command) -> Result<Command, String> {
    Ok(match file()? {
        Some((_, values)) => apply(command, &values),
        None => command,
    })
}

/// Keys with their values.
type Values = Vec<(String, String)>;

/// The file that is used, when there is one, with its values.
fn file() -> Result<Option<(PathBuf, Values)>, String> {
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    let path = named.clone().unwrap_or_else(|| PathBuf::from("emporion.toml"));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{} can't be read: {error}", path.display())),
    };
    let values = read(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Some((path, values)))
}

fn read(text: &str) -> Result<Values, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let mut values = Values::new();
    for (key, value) in flat("", table) {
        values.push(checked(key, value)?);
    }
    Ok(values)
}

/// `[mail.smtp] host` is the key `mail_smtp_host`.
fn flat(before: &str, table: toml::Table) -> Vec<(String, toml::Value)> {
    let entry = |(key, value): (String, toml::Value)| {
        let key = format!("{before}{key}");
        match value {
            toml::Value::Table(inner) => flat(&format!("{key}_"), inner),
            value => vec![(key, value)],
        }
    };
    table.into_iter().flat_map(entry).collect()
}

fn checked(key: String, value: toml::Value) -> Result<(String, String), String> {
    match value {
        _ if !KEYS.contains(&key.as_str()) => Err(format!("there is no key {key:?}; the keys are {}", KEYS.join(", "))),
        toml::Value::String(text) => Ok((key, text)),
        _ => Err(format!("{key} is a text in quotes")),
    }
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

/// Shows the settings.
#[derive(Debug, Args)]
pub struct Config {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print every key with its value and where the value comes from, in the
    /// form of emporion.toml. Passwords are left out.
    Print,
}

impl Config {
    /// Does it. `command` is the whole command line without the file.
    pub fn run(self, command: Command) -> Outcome<()> {
        let Action::Print = self.action;
        let file = file().map_err(Error::internal)?;
        let default = |key: &str| {
            let serve = command.find_subcommand("serve")?;
            let argument = serve.get_arguments().find(|argument| argument.get_id() == key)?;
            argument.get_default_values().first().map(|value| value.to_string_lossy().into_owned())
        };
        for key in KEYS {
            let variable = match *key {
                "vault_secret" => "EMPORION_SECRET".to_owned(),
                key => format!("EMPORION_{}", key.to_uppercase()),
            };
            let filed = file.iter().find_map(|(path, values)| {
                let (_, value) = values.iter().find(|(name, _)| name == key)?;
                Some((value.clone(), path.display().to_string()))
            });
            let set = std::env::var(&variable).ok().map(|value| (value, variable));
            let found = set.or(filed).or_else(|| Some((default(key)?, "default".to_owned())));
            match found {
                Some((_, source)) if SECRET.contains(key) => println!("# {key} is set  # {source}"),
                Some((value, source)) => println!("{key} = {:?}  # {source}", without_password(&value)),
                None => println!("# {key} is not set"),
            }
        }
        Ok(())
    }
}

fn without_password(value: &str) -> String {
    if let Ok(url @ DatabaseUrl::Postgres(_)) = value.parse::<DatabaseUrl>() {
        return url.to_string();
    }
    match value.split_once("://") {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}://{host}"),
            None => value.to_owned(),
        },
        None => value.to_owned(),
    }
}
