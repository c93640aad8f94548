//! The embedded region in the foreground.

use serde_json::json;

use crate::arguments::Sandbox;
use crate::output::Output;
use crate::trouble::{Result, Trouble};

/// Runs it until it is told to stop.
pub async fn run(arguments: &Sandbox, output: Output) -> Result<()> {
    let failed = |error: sandbox::Error| Trouble::new("demo_unavailable", error.to_string(), None);
    let running = sandbox::Sandbox::start(sandbox::Options {
        state_file: arguments.state.clone(),
        receiver_file: arguments.receiver.clone(),
        announce: arguments.announce.clone(),
        speed: arguments.speed,
        clock_speed: arguments.clock_speed,
        ..sandbox::Options::default()
    })
    .await
    .map_err(failed)?;
    let announcement = running.announcement();
    // Where it is, and not what one gets in with: that stands in the announce file.
    let places = json!({
        "regions": announcement.regions,
        "hei": announcement.hei.url,
        "control": announcement.control,
    });
    output.answer(&places, || {
        let mut lines = Vec::new();
        for region in &announcement.regions {
            lines.push(format!("{} ({}, {})", region.id, region.name_zh, region.name_en));
            lines.extend(
                region
                    .endpoints
                    .iter()
                    .map(|(service, url)| format!("  {service:<4} {url}")),
            );
        }
        lines.push(format!("HEI      {}", announcement.hei.url));
        lines.push(format!("control  {}", announcement.control));
        lines.push(output.say("按 Ctrl+C 停止。", "Ctrl+C stops it.").to_owned());
        lines.join("\n")
    })?;
    sandbox::told_to_stop().await;
    running.stop().await.map_err(failed)
}
