//! A terminal against the real thing.

use std::fs;
use std::time::Duration;

use bytes::Bytes;
use remote::{Cast, Output, Piece, Recording, Said, Shell, ShellOptions, Size, State};
use tokio::time::{Instant, sleep};

use crate::peer::{Relay, Sshd, keygen, until};

/// Reads and shows until a text comes, and gives back everything up to it.
async fn read_until(output: &Output, from: &mut u64, text: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut seen = Vec::new();
    loop {
        match output.next(*from, 64 * 1024, Duration::from_secs(1)).await {
            Piece::Bytes { offset, bytes } => {
                *from = offset + bytes.len() as u64;
                output.shown(*from);
                seen.extend_from_slice(&bytes);
            }
            Piece::Nothing => {}
            Piece::Over => panic!("over before {text:?}: {}", String::from_utf8_lossy(&seen)),
        }
        let so_far = String::from_utf8_lossy(&seen);
        if so_far.contains(text) {
            return so_far.into_owned();
        }
        assert!(Instant::now() < deadline, "no {text:?} in {so_far}");
    }
}

fn plain(command: &str) -> ShellOptions {
    ShellOptions {
        command: Some(command.to_owned()),
        ..ShellOptions::default()
    }
}

#[tokio::test]
async fn a_shell_has_the_size_it_is_told_and_passes_its_exit_code_on() {
    let sshd = Sshd::start("").await;
    let (login, mut front) = sshd.login();
    let shell = Shell::start(login, ShellOptions::default());
    let (output, mut from) = (shell.output(), 0);
    until(&mut front.state, |state| *state == State::Open).await;
    shell.input("stty size; echo 网程-$((20+3))\n").await.unwrap();
    let seen = read_until(&output, &mut from, "网程-23").await;
    assert!(seen.contains("24 80"), "{seen}");
    shell
        .resize(Size {
            columns: 132,
            rows: 43,
        })
        .await
        .unwrap();
    shell.input("stty size; echo again-$((1+1))\n").await.unwrap();
    let seen = read_until(&output, &mut from, "again-2").await;
    assert!(seen.contains("43 132"), "{seen}");
    shell.input("exit 7\n").await.unwrap();
    let state = until(&mut front.state, State::is_over).await;
    assert_eq!(
        state,
        State::Ended {
            exit: Some(7),
            signal: None
        }
    );
}

#[tokio::test]
async fn a_program_without_a_terminal_reads_its_input_and_keeps_output_and_complaints_apart() {
    let sshd = Sshd::start("").await;
    let (login, _front) = sshd.login();
    let (input, mut program) = login.program(Some("cat; echo 不好 >&2; exit 9")).await.unwrap();
    // More than any window, and nothing of it is a letter.
    let sent: Vec<u8> = (0..=255u8).cycle().take(3_000_000).collect();
    let written = sent.clone();
    let writing = tokio::spawn(async move {
        for piece in written.chunks(64 * 1024) {
            input.write(piece.to_vec()).await.unwrap();
        }
        input.end().await.unwrap();
    });
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let ended = loop {
        match program.next().await.unwrap() {
            Said::Output(bytes) => output.extend_from_slice(&bytes),
            Said::Errors(bytes) => errors.extend_from_slice(&bytes),
            ended @ Said::Ended { .. } => break ended,
        }
    };
    writing.await.unwrap();
    assert!(output == sent, "{} bytes came back", output.len());
    assert_eq!(String::from_utf8(errors).unwrap(), "不好\n");
    let expected = Said::Ended {
        exit: Some(9),
        signal: None,
    };
    assert_eq!(ended, expected);
    // Without a command it is the user's shell, which reads its lines.
    let (input, mut program) = login.program(None).await.unwrap();
    input.write("echo $((6*7)); exit 3\n").await.unwrap();
    let mut said = String::new();
    let exit = loop {
        match program.next().await.unwrap() {
            Said::Output(bytes) => said.push_str(&String::from_utf8_lossy(&bytes)),
            Said::Errors(_) => {}
            Said::Ended { exit, .. } => break exit,
        }
    };
    assert_eq!((said.contains("42"), exit), (true, Some(3)), "{said}");
}

#[tokio::test]
async fn a_program_that_a_signal_ends_says_so() {
    let sshd = Sshd::start("").await;
    let (login, mut front) = sshd.login();
    let _shell = Shell::start(login, plain("kill -TERM $$"));
    let state = until(&mut front.state, State::is_over).await;
    assert!(
        matches!(&state, State::Ended { exit: None, signal: Some(name) } if name == "TERM"),
        "{state:?}"
    );
}

#[tokio::test]
async fn a_hundred_megabytes_pass_a_slow_reader_whole_and_in_bounded_memory() {
    const LENGTH: usize = 100 * 1024 * 1024;
    let sshd = Sshd::start("").await;
    let mut content = Vec::with_capacity(LENGTH);
    let mut line = 0u64;
    while content.len() < LENGTH {
        line += 1;
        content.extend_from_slice(
            format!("{line:x} {:x}\n", line.wrapping_mul(0x9E37_79B9_7F4A_7C15)).as_bytes(),
        );
    }
    content.truncate(LENGTH);
    fs::write(sshd.path("big"), &content).unwrap();
    let (login, front) = sshd.login();
    let shell = Shell::start(
        login,
        plain(&format!("stty raw -echo; cat {}", sshd.path("big").display())),
    );
    let (output, mut from) = (shell.output(), 0);
    let mut most = 0;
    loop {
        match output.next(from, 256 * 1024, Duration::from_secs(10)).await {
            Piece::Bytes { offset, bytes } => {
                assert_eq!(offset, from, "nothing is left out");
                let at = from as usize;
                assert!(
                    content[at..at + bytes.len()] == bytes,
                    "every byte as it was sent, at {from}"
                );
                from += bytes.len() as u64;
                // Slower than the server.
                sleep(Duration::from_millis(4)).await;
                most = most.max(output.kept());
                output.shown(from);
            }
            Piece::Nothing => panic!("it stands still at {from}: {:?}", front.state.borrow().clone()),
            Piece::Over => break,
        }
    }
    assert_eq!(from, LENGTH as u64);
    assert!(most < 2 * 1024 * 1024, "{most} bytes were kept at once");
}

#[tokio::test]
async fn ctrl_c_leaves_at_once_even_when_nobody_reads() {
    let sshd = Sshd::start("").await;
    let (login, mut front) = sshd.login();
    let shell = Shell::start(
        login,
        plain("bash -c 'trap \"date > ~/stopped; exit 3\" INT; yes 0123456789'"),
    );
    until(&mut front.state, |state| *state == State::Open).await;
    let output = shell.output();
    // Until nothing more is taken.
    let mut backlog = 0;
    loop {
        sleep(Duration::from_millis(300)).await;
        match output.backlog() {
            same if same == backlog && same > 0 => break,
            more => backlog = more,
        }
    }
    assert!(backlog < 2 * 1024 * 1024, "{backlog} bytes wait");
    let began = Instant::now();
    shell.input("\u{3}").await.unwrap();
    while !sshd.home().join("stopped").exists() {
        assert!(began.elapsed() < Duration::from_secs(5), "it never stops");
        sleep(Duration::from_millis(5)).await;
    }
    let took = began.elapsed();
    assert!(took < Duration::from_millis(200), "it took {took:?}");
}

#[tokio::test]
async fn ctrl_c_is_seen_to_act_under_a_flood() {
    let sshd = Sshd::start("").await;
    let (login, mut front) = sshd.login();
    let shell = Shell::start(login, ShellOptions::default());
    until(&mut front.state, |state| *state == State::Open).await;
    let output = shell.output();
    shell
        .input("PS1='re''ady> '; yes 0123456789012345678901234567890123456789\n")
        .await
        .unwrap();
    let mut from = 0;
    // As fast as a terminal draws: about 14 MiB/s.
    let draw = async |from: &mut u64| {
        let Piece::Bytes { offset, bytes } = output.next(*from, 64 * 1024, Duration::from_secs(5)).await
        else {
            panic!("the flood stops");
        };
        sleep(Duration::from_secs_f64(
            bytes.len() as f64 / (14.0 * 1024.0 * 1024.0),
        ))
        .await;
        *from = offset + bytes.len() as u64;
        output.shown(*from);
        bytes
    };
    let flooded = Instant::now();
    while flooded.elapsed() < Duration::from_secs(1) {
        draw(&mut from).await;
    }
    let began = Instant::now();
    shell.input("\u{3}").await.unwrap();
    let mut tail = Vec::new();
    loop {
        tail.extend_from_slice(&draw(&mut from).await);
        if String::from_utf8_lossy(&tail).contains("ready> ") {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "no prompt");
        let keep = tail.len().saturating_sub(100);
        tail.drain(..keep);
    }
    let took = began.elapsed();
    assert!(
        took < Duration::from_millis(200),
        "the prompt came after {took:?}"
    );
}

#[tokio::test]
async fn a_lost_connection_is_made_anew_and_what_was_typed_meanwhile_is_not_run() {
    let mut sshd = Sshd::start("").await;
    let (login, mut front) = sshd.login();
    let shell = Shell::start(login, ShellOptions::default());
    until(&mut front.state, |state| *state == State::Open).await;
    let (output, mut from) = (shell.output(), 0);
    shell.input("echo one-$((1+1))\n").await.unwrap();
    read_until(&output, &mut from, "one-2").await;
    sshd.kill();
    let state = until(&mut front.state, |state| {
        matches!(state, State::Reconnecting { attempt: 2.., .. })
    })
    .await;
    assert!(
        matches!(&state, State::Reconnecting { of: 10, cause, .. } if cause.code() == "unreachable"),
        "{state:?}"
    );
    shell.input("touch ~/must-not-exist\n").await.unwrap();
    sshd.boot().await;
    shell.retry_now().await.unwrap();
    until(&mut front.state, |state| *state == State::Open).await;
    shell.input("echo two-$((1+1)); ls ~\n").await.unwrap();
    let seen = read_until(&output, &mut from, "two-2").await;
    assert!(!seen.contains("must-not-exist"), "{seen}");
    assert!(!sshd.home().join("must-not-exist").exists());
}

#[tokio::test]
async fn a_server_that_comes_back_with_another_key_gets_nothing() {
    let mut sshd = Sshd::start("").await;
    let (login, mut front) = sshd.login();
    let shell = Shell::start(login, ShellOptions::default());
    until(&mut front.state, |state| *state == State::Open).await;
    sshd.kill();
    for half in ["host_ed25519", "host_ed25519.pub"] {
        fs::remove_file(sshd.path(half)).unwrap();
    }
    keygen(&sshd.path("host_ed25519"), &["-t", "ed25519", "-N", ""]);
    sshd.boot().await;
    // It may be under way by itself already.
    let _ = shell.retry_now().await;
    let state = until(&mut front.state, State::is_over).await;
    let State::Failed { error } = state else {
        panic!("{state:?}");
    };
    assert_eq!(error.code(), "host_key_changed", "{error}");
    let accepted = sshd.log().matches("Accepted publickey").count();
    assert_eq!(accepted, 1, "nobody logged in to it");
}

#[tokio::test]
async fn reconnecting_ends_at_its_limit_and_at_once_after_a_refusal() {
    let sshd = Sshd::start("").await;
    let relay = Relay::to(sshd.port).await;
    let known = sshd
        .known_line("host_ed25519")
        .replace(&sshd.port.to_string(), &relay.port.to_string());
    for refused in [true, false] {
        let (mut login, mut front) = sshd.login();
        fs::write(sshd.path("known_hosts"), &known).unwrap();
        login.to.port = relay.port;
        let options = ShellOptions {
            reconnects: 2,
            ..ShellOptions::default()
        };
        let shell = Shell::start(login, options);
        until(&mut front.state, |state| *state == State::Open).await;
        let authorized = fs::read(sshd.path("authorized")).unwrap();
        if refused {
            fs::write(sshd.path("authorized"), "").unwrap();
        } else {
            relay.refuse(true);
        }
        relay.cut();
        let state = until(&mut front.state, State::is_over).await;
        let State::Failed { error } = state else {
            panic!("{state:?}");
        };
        assert_eq!(
            error.code(),
            if refused { "refused" } else { "unreachable" },
            "{error}"
        );
        fs::write(sshd.path("authorized"), authorized).unwrap();
        drop(shell);
    }
    let failures = sshd.log().matches("Accepted publickey").count();
    assert_eq!(failures, 2, "each session logged in once");
}

#[tokio::test]
async fn a_recording_has_what_was_shown_and_never_what_was_typed_unseen() {
    let sshd = Sshd::start("").await;
    let (login, mut front) = sshd.login();
    let cast = sshd.path("a.cast");
    let options = ShellOptions {
        recording: Some(Cast {
            file: cast.clone(),
            at: 1_700_000_000,
            title: "test".into(),
        }),
        ..ShellOptions::default()
    };
    let shell = Shell::start(login, options);
    until(&mut front.state, |state| *state == State::Open).await;
    let (output, mut from) = (shell.output(), 0);
    shell
        .input("read -rs -p 'Pass''word: ' x; echo; echo \"got ${#x}\"\n")
        .await
        .unwrap();
    read_until(&output, &mut from, "Password: ").await;
    shell.input("hunter2-geheim\n").await.unwrap();
    read_until(&output, &mut from, "got 14").await;
    shell.input("exit\n").await.unwrap();
    until(&mut front.state, State::is_over).await;
    let mut recording = Recording::open(&cast).unwrap();
    let mut played = String::new();
    while let Some(entry) = recording.next_entry().unwrap() {
        played += &entry.data;
    }
    assert!(
        played.contains("Password: ") && played.contains("got 14"),
        "{played}"
    );
    let raw = fs::read_to_string(&cast).unwrap();
    assert!(!raw.contains("hunter2") && !played.contains("geheim"));
}

#[tokio::test]
async fn closing_a_shell_that_floods_ends_it_on_both_sides() {
    let sshd = Sshd::start("").await;
    let (login, mut front) = sshd.login();
    let shell = Shell::start(login, plain("trap 'touch ~/gone' HUP EXIT; yes"));
    until(&mut front.state, |state| *state == State::Open).await;
    sleep(Duration::from_millis(300)).await;
    shell.close();
    until(&mut front.state, State::is_over).await;
    let until = Instant::now() + Duration::from_secs(10);
    while !sshd.home().join("gone").exists() {
        assert!(Instant::now() < until, "it runs on over there");
        sleep(Duration::from_millis(20)).await;
    }
    assert!(shell.input(Bytes::from_static(b"x")).await.is_err());
}

/// A login through a relay.
async fn through_relay(sshd: &Sshd) -> (Relay, remote::Login, remote::Front) {
    let relay = Relay::to(sshd.port).await;
    let (mut login, front) = sshd.login();
    let known = sshd.known_line("host_ed25519");
    let known = known.replace(&format!("]:{}", sshd.port), &format!("]:{}", relay.port));
    fs::write(sshd.path("known_hosts"), known).unwrap();
    login.to.port = relay.port;
    (relay, login, front)
}

#[tokio::test]
async fn a_server_that_falls_silent_is_noticed() {
    let sshd = Sshd::start("").await;
    let (relay, mut login, mut front) = through_relay(&sshd).await;
    login.keepalive = Duration::from_millis(500);
    let _shell = Shell::start(login, ShellOptions::default());
    until(&mut front.state, |state| *state == State::Open).await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(*front.state.borrow(), State::Open, "an idle server is alive");
    relay.frozen.store(true, std::sync::atomic::Ordering::Relaxed);
    let began = Instant::now();
    let state = until(&mut front.state, |state| {
        matches!(state, State::Reconnecting { .. })
    })
    .await;
    assert!(began.elapsed() < Duration::from_secs(5), "{state:?}");
}

#[tokio::test]
async fn a_terminal_that_is_held_back_is_not_taken_for_dead() {
    let sshd = Sshd::start("").await;
    let (mut login, mut front) = sshd.login();
    login.keepalive = Duration::from_millis(300);
    let shell = Shell::start(login, plain("yes"));
    until(&mut front.state, |state| *state == State::Open).await;
    sleep(Duration::from_secs(4)).await;
    assert_eq!(*front.state.borrow(), State::Open);
    let output = shell.output();
    assert!(output.backlog() > 512 * 1024, "it is held back");
    // And it goes on when somebody looks.
    let mut from = 0;
    while from < 20 * 1024 * 1024 {
        let Piece::Bytes { offset, bytes } = output.next(from, 256 * 1024, Duration::from_secs(5)).await
        else {
            panic!("it stands still at {from}");
        };
        from = offset + bytes.len() as u64;
        output.shown(from);
    }
}
