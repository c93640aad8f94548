//! What comes from a server into the window of sessions: a terminal's output against xterm.js fed from memory in the same window,
//! keys and what they echo, and a moving screen against noVNC in Chromium.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use wangcheng_tests::browser::Browser;
use wangcheng_tests::desktop::{Desktop, Keychain};
use wangcheng_tests::moving::Moving;
use wangcheng_tests::peers::Sandbox;
use wangcheng_tests::programs;
use wangcheng_tests::walk::Walk;
use wangcheng_tests::window::{Found, Window, testid};

use crate::measure::{options, say};

const LONG: Duration = Duration::from_secs(120);
const MIB: f64 = 1024.0 * 1024.0;
/// How long a screen is watched.
const WATCHED: Duration = Duration::from_secs(10);
/// A line as programs say them.
const LINE: &str = "2026-11-30T07:00:00Z info request served path=/网程/v1/servers status=200 took=3ms";
/// MiB that go by before, and while, it is measured.
const WARM: f64 = 10.0;
const MEASURED: f64 = 100.0;
const KEYS: usize = 200;

pub async fn measure(programs: &Path) -> Result<()> {
    let mut desktop = Desktop::start(Keychain::Unlocked).await?;
    desktop.draw_without_a_card();
    let moving = Moving::start(desktop.dir(), "1024x768").await?;
    let at = moving.at().to_string();
    let sandbox = programs.join(programs::SANDBOX);
    let sandbox =
        Sandbox::start_as(&sandbox, &desktop.dir().join("sandbox"), 8.0, &["--screen", &at]).await?;
    let options = options(&sandbox, &desktop.dir().join("data"));
    let window = Window::open(&desktop, &programs.join(programs::DESKTOP), options).await?;
    window.set_size(1280, 800).await?;
    let mut walk = Walk::new(&window);
    walk.running("measured-02").await?;
    walk.open_server("measured-02").await?;

    window.click(&testid("server-screen")).await?;
    window.other_window().await?;
    window.set_size(1280, 800).await?;
    let shown = format!("{}[data-connected=\"true\"]", testid("session-screen"));
    window.find(&shown).await?;
    say("vnc_updates_s", updates(&window).await?);
    window.click(&testid("session-close")).await?;
    window.find(&testid("sessions-none")).await?;
    let browser = Browser::open(&desktop, moving.at()).await?;
    let updates = browser.updates(WATCHED).await;
    browser.close().await?;
    say("vnc_floor_updates_s", updates?);
    drop(moving);

    window.other_window().await?;
    window.click(&testid("server-connect")).await?;
    window.other_window().await?;
    open(&window).await?;
    say("echo_p95_ms", echo(&window).await?);
    let (rate, more) = flood(&window).await?;
    say("terminal_mib_s", rate);
    say("terminal_more_mb", more);
    say("ctrl_c_ms", stop(&window).await?);
    say("terminal_floor_mib_s", from_memory(&window).await?);

    // One beside it, which floods while keys are typed into the other.
    window.click(&testid("session-split")).await?;
    window
        .wait_attribute(&testid("session-tab"), "data-state", &["open"], LONG)
        .await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    window.press(&format!("yes '{LINE}'\u{e007}")).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    focus(&window, 0).await?;
    say("echo_flood_p95_ms", echo(&window).await?);
    window.kill().await
}

/// Waits until somebody is let in, and takes the keyboard there.
async fn open(window: &Window) -> Result<()> {
    window
        .wait_attribute(&testid("session-state"), "data-state", &["open"], LONG)
        .await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    focus(window, 0).await
}

async fn focus(window: &Window, at: usize) -> Result<()> {
    let script = format!("document.querySelectorAll('.xterm-helper-textarea')[{at}].focus()");
    window.script(&script).await.map(drop)
}

/// Pictures a second: the counter is told every two seconds, so from one change of it to another.
async fn updates(window: &Window) -> Result<f64> {
    let look = "return [Number(document.querySelector('[data-testid=screen-rates]')?.dataset.updates ?? 0), performance.now()]";
    let changed = async |from: f64| -> Result<(f64, f64)> {
        window
            .wait("another picture", LONG, async || {
                let seen = window.peek_script(look).await?;
                let (updates, at) = serde_json::from_value(seen).unwrap_or((0.0, 0.0));
                Ok(match updates > from {
                    true => Found::Yes((updates, at)),
                    false => Found::NotYet(format!("{updates}")),
                })
            })
            .await
    };
    tokio::time::sleep(Duration::from_secs(4)).await;
    let (first, _) = changed(0.0).await?;
    let (before, began) = changed(first).await?;
    let mut last = (before, began);
    while last.1 - began < WATCHED.as_secs_f64() * 1000.0 {
        last = changed(last.0).await?;
    }
    Ok((last.0 - before) / (last.1 - began) * 1000.0)
}

/// MiB/s of a flood as the terminal has written it, and by how many MB it made the application larger.
async fn flood(window: &Window) -> Result<(f64, f64)> {
    let shown = async || -> Result<f64> {
        let script = "return Number(document.querySelector('[data-testid=session-terminal]').dataset.shown)";
        window.script(script).await?.as_f64().context("nothing is shown")
    };
    let until = async |bytes: f64| -> Result<f64> {
        let begun = Instant::now();
        while shown().await? < bytes {
            if begun.elapsed() > LONG {
                bail!("the flood stands still");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        shown().await
    };
    window.press(&format!("yes '{LINE}'\u{e007}")).await?;
    let from = until(WARM * MIB).await?;
    let (began, memory) = (Instant::now(), window.memory()?);
    let to = until(from + MEASURED * MIB).await?;
    let rate = (to - from) / MIB / began.elapsed().as_secs_f64();
    Ok((rate, (window.memory()? as f64 - memory as f64) / 1e6))
}

/// Ctrl+C into a flood: after how many milliseconds it is seen to act.
async fn stop(window: &Window) -> Result<f64> {
    let script = "window.__acted = null; const began = performance.now(); \
        document.activeElement.dispatchEvent(new KeyboardEvent('keydown', \
          {key: 'c', code: 'KeyC', keyCode: 67, ctrlKey: true, bubbles: true})); \
        const look = () => { \
          if (document.querySelector('.xterm-rows').textContent.includes('^C')) window.__acted = performance.now() - began; \
          else requestAnimationFrame(look); \
        }; look();";
    window.script(script).await?;
    number(window, "__acted").await
}

/// Types letters one after the other and gives the 95th percentile of the time until each is on the screen, in milliseconds: the
/// frame that shows it has been drawn. The letter stands in no line of the flood, which may scroll out of sight meanwhile.
async fn echo(window: &Window) -> Result<f64> {
    let script = format!(
        "window.__echo = null; const times = []; const area = document.activeElement; \
         const rows = area.closest('.xterm').querySelector('.xterm-rows'); \
         const count = () => rows.textContent.split('z').length; \
         const type = () => {{ \
           const before = count(); const began = performance.now(); \
           const seen = new MutationObserver(() => {{ \
             if (count() <= before) return; \
             seen.disconnect(); \
             const drawn = new MessageChannel(); \
             drawn.port1.onmessage = () => {{ \
               times.push(performance.now() - began); \
               if (times.length < {KEYS}) setTimeout(type, 40 + Math.random() * 60); \
               else window.__echo = times.sort((one, other) => one - other)[Math.floor(times.length * 0.95)]; \
             }}; \
             drawn.port2.postMessage(null); \
           }}); \
           seen.observe(rows, {{ childList: true, subtree: true, characterData: true }}); \
           area.dispatchEvent(new KeyboardEvent('keydown', {{key: 'z', code: 'KeyZ', keyCode: 90, bubbles: true}})); \
         }}; type();"
    );
    window.script(&script).await?;
    let p95 = number(window, "__echo").await?;
    // Ctrl+U is nothing to this shell; the line is left as it is.
    window.press("\u{e007}").await?;
    Ok(p95)
}

/// The same lines through xterm.js alone, in a terminal of the same size and kind over ours: MiB/s.
async fn from_memory(window: &Window) -> Result<f64> {
    let modules = programs::target_dir()?.join("../ui/node_modules/@xterm");
    let mut source = String::new();
    for file in ["xterm/lib/xterm.js", "addon-unicode11/lib/addon-unicode11.js"] {
        let path = modules.join(file);
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("{} is missing", path.display()))?;
        // Under frozen prototypes, as the interface's own build of it (`ui/vite.config.ts`).
        let own = "Object.defineProperty(e,'toString',{writable:true,value:null}),e.toString=function";
        source.push_str(&text.replace("e.toString=function", own));
        source.push_str("\n;");
    }
    window.script(&source).await.context("xterm.js does not run")?;
    let script = format!(
        "window.__fed = null; \
         const ours = document.querySelector('.xterm'); const area = ours.parentElement.getBoundingClientRect(); \
         const place = document.createElement('div'); \
         place.style.cssText = `position:fixed; z-index:99; left:${{area.left}}px; top:${{area.top}}px; \
           width:${{area.width}}px; height:${{area.height}}px; background:#15181d`; \
         document.body.append(place); \
         const rows = document.querySelectorAll('.xterm-rows > div').length; \
         const columns = Math.floor(area.width / (ours.querySelector('.xterm-char-measure-element').getBoundingClientRect().width / 32)); \
         const terminal = new globalThis.Terminal({{allowProposedApi: true, scrollback: 20000, rows, cols: columns, \
           fontFamily: getComputedStyle(document.documentElement).getPropertyValue('--font-mono'), minimumContrastRatio: 4.5}}); \
         terminal.loadAddon(new globalThis.Unicode11Addon.Unicode11Addon()); terminal.unicode.activeVersion = '11'; \
         terminal.open(place); \
         const whole = new TextEncoder().encode('{LINE}\\r\\n'.repeat(800)).slice(0, 65536); \
         let sent = 0, done = 0, began = 0; \
         const more = () => {{ while (sent - done < 262144 && sent < {all}) {{ \
             sent += whole.length; \
             terminal.write(whole.slice(), () => {{ \
               done += whole.length; \
               if (began === 0 && done >= {warm}) began = performance.now() - 0.001; \
               if (done >= {all}) {{ window.__fed = {measured} / (performance.now() - began) * 1000; terminal.dispose(); place.remove(); }} \
               else more(); \
             }}); \
         }} }}; more();",
        warm = WARM * MIB,
        all = (WARM + MEASURED) * MIB,
        measured = MEASURED,
    );
    window.script(&script).await?;
    number(window, "__fed").await
}

/// A number that the page will have.
async fn number(window: &Window, name: &str) -> Result<f64> {
    let script = format!("return window.{name}");
    window
        .wait(name, LONG, async || {
            let seen = window.peek_script(&script).await?;
            Ok(seen
                .as_f64()
                .map_or_else(|| Found::NotYet("not yet".to_owned()), Found::Yes))
        })
        .await
}
