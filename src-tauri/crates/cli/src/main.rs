//! `wangcheng`: the same calls as the window's, from a terminal. It holds no rule of the product; it asks crate `api` and
//! shows what comes back.

mod arguments;
mod change;
mod commands;
mod delivery;
mod disks;
mod exit;
mod facts;
mod fields;
mod grants;
mod keys;
mod leftovers;
mod lives;
mod output;
mod platform;
mod region;
mod remote;
mod secrets;
mod servers;
mod session;
mod several;
mod templates;
mod times;
mod trouble;
mod usage;
mod words;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use tracing_subscriber::EnvFilter;

use crate::arguments::{Account, Arguments, Command};
use crate::exit::Exit;
use crate::output::Output;
use crate::session::Session;
use crate::trouble::{Result, Trouble};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Silent unless asked: what a person has to know is said by the commands themselves.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off")))
        .with_writer(std::io::stderr)
        .init();
    let output = Output {
        json: arguments.all.json,
        tongue: session::tongue(&arguments.all),
    };
    let result = match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let result = runtime.block_on(run(&arguments, output));
            // A keychain that hangs must not keep the program from ending.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(error.into()),
    };
    let code = match result {
        Ok(()) => Exit::Ok as u8,
        Err(Trouble::Ended(code)) => code,
        // As `ssh` has it, so that nobody takes it for what the command over there returned.
        Err(trouble) if matches!(arguments.command, Command::Ssh(_)) => {
            match output::report(output, &trouble) {
                Exit::Cancelled => Exit::Cancelled as u8,
                _ => remote::NO_WAY,
            }
        }
        Err(trouble) => output::report(output, &trouble) as u8,
    };
    ExitCode::from(code)
}

async fn run(arguments: &Arguments, output: Output) -> Result<()> {
    let common = &arguments.all;
    match &arguments.command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "wangcheng", &mut script);
            return output.line(&String::from_utf8_lossy(&script));
        }
        Command::Sandbox(sandbox) => return region::run(sandbox, output).await,
        _ => {}
    }
    let signing_in = matches!(arguments.command, Command::Account(Account::SignIn { .. }));
    let choosing = signing_in
        || matches!(
            arguments.command,
            Command::Account(Account::Use { .. } | Account::SignOut { .. })
        );
    let session = Session::open(common, output, signing_in, choosing).await?;
    let result = match &arguments.command {
        Command::Account(command) => commands::account(&session, common, command).await,
        Command::Server(command) => servers::server(&session, command).await,
        Command::Disk(command) => disks::disk(&session, command).await,
        Command::Network(command) => disks::network(&session, command).await,
        Command::Template(command) => templates::template(&session, command).await,
        Command::Operation(command) => commands::operation(&session, command).await,
        Command::Events(command) => commands::events(&session, command).await,
        Command::Delivery(command) => delivery::delivery(&session, command).await,
        Command::Usage(command) => usage::usage(&session, command).await,
        Command::Platform(command) => platform::platform(&session, command).await,
        Command::Grant(command) => grants::grant(&session, command).await,
        Command::Ssh(command) => remote::ssh(&session, command).await,
        Command::Scp(command) => remote::copies::scp(&session, command).await,
        Command::Tunnel(command) => remote::tunnels::tunnel(&session, command).await,
        Command::Console(command) => remote::console::console(&session, common, command).await,
        Command::Sandbox(_) | Command::Completions { .. } => Ok(()),
    };
    session.close().await;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command's help, one after the other.
    fn helps(command: &mut clap::Command, before: &str, out: &mut String) {
        let name = format!("{before}{}", command.get_name());
        let help = command.clone().bin_name(&name).render_long_help();
        out.push_str(&format!("$ {name} --help\n{help}\n"));
        for inner in command.get_subcommands_mut() {
            helps(inner, &format!("{name} "), out);
        }
    }

    #[test]
    fn the_help_of_every_command_is_as_it_was_read_over() {
        // As wide as help is where there is no terminal.
        let mut command = Arguments::command().term_width(100);
        command.build();
        let mut text = String::new();
        helps(&mut command, "", &mut text);
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let text = lines.join("\n") + "\n";
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt");
        if std::env::var_os("WANGCHENG_WRITE_HELP").is_some() {
            std::fs::write(file, &text).unwrap();
        }
        let kept = std::fs::read_to_string(file).unwrap().replace("\r\n", "\n");
        assert!(
            kept == text,
            "read the changed help over, then keep it with WANGCHENG_WRITE_HELP=1: {}",
            text.lines()
                .zip(kept.lines())
                .find(|(now, before)| now != before)
                .map_or("", |(now, _)| now)
        );
    }
}
