//! Fixtures for tests over the real programs: a private desktop with its keychain, the application's window driven by
//! WebDriver, the sandbox with its receiver, and the main job as a walk through the window.
//!
//! Everything here is Linux: the window is driven through WebKitGTK's driver on a virtual display.
#![cfg(target_os = "linux")]

pub mod acts;
pub mod browser;
pub mod desktop;
pub mod gate;
pub mod moving;
pub mod neighbours;
pub mod oracle;
pub mod past;
pub mod peers;
mod process;
pub mod programs;
pub mod pty;
pub mod race;
pub mod reference;
pub mod screens;
pub mod script;
pub mod walk;
pub mod window;
