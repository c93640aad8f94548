//! What goes to a server by SSH: shells, programs, copies, tunnels. What only a person can answer is asked at the terminal.

pub mod console;
pub mod copies;
mod program;
mod shell;
pub mod tunnels;

use std::io::{IsTerminal, Write};

use secrecy::SecretString;
use tokio::sync::watch;
use wangcheng::sessions::{Ask, Front, Kind, Question, State, failure};

use crate::arguments::remote::Ssh;
use crate::output::{Output, can_ask};
use crate::session::Session;
use crate::trouble::{Result, Trouble};
use crate::words::safe;

/// How `ssh` ends when the way to a server failed.
pub const NO_WAY: u8 = 255;

/// Logs in: a shell, or one command.
pub async fn ssh(session: &Session, command: &Ssh) -> Result<()> {
    let (link, front) = session
        .reach(&command.server, &(&command.way).into(), Kind::Ssh)
        .await?;
    // As `ssh` does: the words become one line, which the shell over there takes apart.
    let line = (!command.command.is_empty()).then(|| command.command.join(" "));
    let typed = std::io::stdin().is_terminal() && !command.no_input;
    let with_terminal = command.tty || (line.is_none() && typed && !command.no_tty);
    let ended = match with_terminal {
        true => shell::run(session, link, front, line, !command.no_input).await,
        false => program::run(session, link, front, line, !command.no_input).await,
    };
    session.let_events_go().await;
    match ended? {
        0 => Ok(()),
        code => Err(Trouble::Ended(code)),
    }
}

/// How a program over there ended, as this one ends.
fn code(exit: Option<u32>) -> u8 {
    // A signal has no code; `ssh` says the same of one.
    exit.map_or(NO_WAY, |exit| u8::try_from(exit & 0xff).unwrap_or(NO_WAY))
}

/// What a state that is over means for us.
fn over(session: &Session, state: &State) -> Option<Result<u8>> {
    match state {
        State::Ended { exit, .. } => Some(Ok(code(*exit))),
        State::Failed { error } => Some(Err(session.failed(&failure(error)))),
        _ => None,
    }
}

/// Tells a person, on standard error, where a login stands when it takes long.
fn tell(output: Output, state: &State) {
    match state {
        State::Waiting { attempt, left_ms, .. } if *attempt == 1 => output.note(&format!(
            "{} {} s",
            output.say(
                "云服务器尚未应答，正在等待，最长",
                "The server does not answer yet; waiting for at most"
            ),
            left_ms / 1000
        )),
        State::Reconnecting { attempt, of, .. } => {
            let lost = output.say(
                "连接已中断，正在重新连接",
                "The connection was lost; connecting again",
            );
            output.note(&format!("\r\n{lost} ({attempt}/{of})\r"));
        }
        _ => {}
    }
}

/// Answers questions, shows what a server says before the login, and tells when it takes long, until it is over or somebody
/// is let in.
async fn attend(output: Output, front: &mut Front) {
    loop {
        tokio::select! {
            biased;
            Some(question) = front.questions.recv() => answer(output, question).await,
            Ok(()) = front.banner.changed() => {
                let banner = front.banner.borrow_and_update().clone();
                output.note(banner.lines().map(safe).collect::<Vec<_>>().join("\n").trim_end());
            }
            Ok(()) = front.state.changed() => {
                let state = front.state.borrow_and_update().clone();
                if matches!(state, State::Open) || state.is_over() {
                    return;
                }
                tell(output, &state);
            }
            else => return,
        }
    }
}

/// Waits for something that logs in by itself, answering what it asks.
async fn attended<T>(output: Output, front: &mut Front, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = attend(output, front) => {}
        }
    }
}

/// The state once it is over.
async fn at_end(state: &mut watch::Receiver<State>) -> State {
    match state.wait_for(State::is_over).await {
        Ok(state) => state.clone(),
        Err(_) => State::Ended {
            exit: None,
            signal: None,
        },
    }
}

/// Asks a person at the terminal. Without one it is a "no".
async fn answer(output: Output, question: Question) {
    let ask = question.ask.clone();
    let asked = tokio::task::spawn_blocking(move || put(output, &ask)).await;
    match asked.ok().flatten() {
        Some(Answer::Trust) => question.trust(true),
        Some(Answer::Secrets(secrets)) => question.answers(secrets),
        None => {}
    }
}

enum Answer {
    Trust,
    Secrets(Vec<SecretString>),
}

fn put(output: Output, ask: &Ask) -> Option<Answer> {
    let again = |again: bool| match again {
        true => output.say("（上次不对）", " (the last one was wrong)"),
        false => "",
    };
    let one = |prompt: String| hidden(&prompt).map(|secret| Answer::Secrets(vec![secret]));
    match ask {
        Ask::HostKey {
            host, key, formerly, ..
        } => {
            if !can_ask() {
                return None;
            }
            let mut text = format!(
                "{}: {}\n  {} {}\n",
                output.say("首次连接此主机", "This host is not known yet"),
                safe(host),
                safe(&key.kind),
                safe(&key.fingerprint)
            );
            if let Some(formerly) = formerly {
                text.push_str(&format!(
                    "  {}: {}\n",
                    output.say("此地址原属云服务器", "This address was another server's before"),
                    safe(formerly)
                ));
            }
            text.push_str(output.say("信任此密钥？输入 yes：", "Trust this key? Type yes: "));
            (visible(&text)?.trim() == "yes").then_some(Answer::Trust)
        }
        Ask::Passphrase { key, again: wrong } => one(format!(
            "{} {}{}: ",
            output.say("密钥口令", "Passphrase of"),
            safe(key),
            again(*wrong)
        )),
        Ask::Password {
            user,
            host,
            again: wrong,
        } => one(format!(
            "{} {}@{}{}: ",
            output.say("密码", "Password of"),
            safe(user),
            safe(host),
            again(*wrong)
        )),
        Ask::Prompts {
            name,
            instruction,
            prompts,
        } => {
            for said in [name, instruction] {
                if !said.is_empty() {
                    output.note(&safe(said));
                }
            }
            let answers = prompts.iter().map(|prompt| match prompt.echo {
                true => visible(&safe(&prompt.text)).map(|text| text.trim_end().into()),
                false => hidden(&safe(&prompt.text)),
            });
            answers.collect::<Option<_>>().map(Answer::Secrets)
        }
    }
}

/// Read from the terminal itself, so that standard input stays what the program over there reads.
fn hidden(prompt: &str) -> Option<SecretString> {
    rpassword::prompt_password(prompt).ok().map(SecretString::from)
}

fn visible(prompt: &str) -> Option<String> {
    if !can_ask() {
        return None;
    }
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "{prompt}").and_then(|()| stderr.flush()).ok()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).ok()?;
    Some(line)
}
