//! What can go wrong on the way to a server, as the one form of failure that is shown.

use std::fmt::Display;

use remote::{Error, FileTrouble, Unreachable};

use crate::failure::{Code, Failure};

/// An error of the SSH client as a failure.
pub fn failure(error: &Error) -> Failure {
    match error {
        Error::Unreachable { host, port, why } => {
            let code = match why {
                // It answers, but not yet as a server that is up.
                Unreachable::ClosedEarly | Unreachable::Refused => Code::SshNotUp,
                _ => Code::SshUnreachable,
            };
            Failure::new(code)
                .with("host", host)
                .with("port", port)
                .saying(why)
        }
        Error::HostKeyUnknown { host, fingerprint } => Failure::new(Code::HostKeyUnknown)
            .with("host", host)
            .with("fingerprint", fingerprint),
        Error::HostKeyChanged { host, shown, .. } => Failure::new(Code::HostKeyChanged)
            .with("host", host)
            .with("fingerprint", &shown.fingerprint),
        Error::HostKeyRevoked { host, file, line, .. } => Failure::new(Code::HostKeyRevoked)
            .with("host", host)
            .with("file", file)
            .with("line", line),
        Error::HostKeysUnreadable { file, why } => Failure::new(Code::HostKeysUnreadable)
            .with("file", file)
            .saying(why),
        Error::Refused {
            user,
            host,
            tried,
            offered,
        } => Failure::new(Code::LoginRefused)
            .with("user", user)
            .with("host", host)
            .with("tried", words(tried))
            .with("offered", words(offered)),
        Error::Key { name, why } => Failure::new(Code::SshKeyUnusable).with("name", name).saying(why),
        Error::Agent { why } => Failure::new(Code::SshAgentUnavailable).saying(why),
        Error::Lost { why } => Failure::new(Code::SshLost).saying(why),
        Error::TimedOut { what } => Failure::new(Code::SshTimeout).saying(what),
        Error::Rejected { .. } => Failure::new(Code::SshRejected).saying(error),
        Error::ScreenAbsent { host, port, why } => Failure::new(Code::ScreenAbsent)
            .with("host", host)
            .with("port", port)
            .saying(why),
        Error::ConsoleUnreachable { host, port, why } => Failure::new(Code::ConsoleUnreachable)
            .with("host", host)
            .with("port", port)
            .saying(why),
        Error::ScreenRefused { why } => Failure::new(Code::ScreenRefused).saying(why),
        Error::ScreenLogin { why } => Failure::new(Code::ScreenLogin).saying(why),
        Error::ScreenSecurity { offered } => Failure::new(Code::ScreenSecurity).with("offered", offered),
        Error::ScreenProtocol { why } => Failure::new(Code::ScreenProtocol).saying(why),
        Error::Certificate { host, why, .. } => Failure::new(Code::CertificateUntrusted)
            .with("host", host)
            .saying(why),
        Error::Cancelled => Code::SessionEnded.into(),
        Error::RemoteFile { path, why } | Error::LocalFile { path, why } => file_failure(path, why),
        Error::Protocol { .. } => Failure::new(Code::SshProtocol).saying(error),
        Error::Config { file, why } => Failure::new(Code::SshConfigInvalid)
            .with("file", file)
            .saying(why),
        Error::Listen { address, why } => Failure::new(Code::PortTaken).with("address", address).saying(why),
    }
}

/// What is wrong with a file, here or there, as a failure.
pub fn file_failure(path: &dyn Display, why: &FileTrouble) -> Failure {
    let failure = Failure::new(match why {
        FileTrouble::Missing => Code::FileMissing,
        FileTrouble::Denied => Code::FileDenied,
        FileTrouble::Exists => Code::FileExists,
        FileTrouble::UnsafeName => Code::FileNameUnsafe,
        FileTrouble::NotAFile => Code::FileNotCopied,
        FileTrouble::Changed => Code::FileChanged,
        FileTrouble::Full => Code::FileDiskFull,
        FileTrouble::TooLarge => Code::FileTooLarge,
        FileTrouble::Other(_) => Code::FileFailed,
    })
    .with("path", path);
    match why {
        FileTrouble::Other(why) => failure.saying(why),
        _ => failure,
    }
}

fn words(words: &[String]) -> String {
    if words.is_empty() {
        return "-".to_owned();
    }
    words.join(", ")
}
