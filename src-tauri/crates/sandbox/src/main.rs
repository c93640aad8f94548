//! `wangcheng-sandbox`: the embedded region as a program of its own. Says where it listens and runs until it is told to stop.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Parser;
use sandbox::{Options, Sandbox};
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;

/// What `--help` says of the control listener; the library's documentation says more.
const CONTROL: &str = r#"Control listener (address in the announcement), JSON in and out:
  GET    /health                         the region's time, and that by which callers sign
  GET    /servers, /requests             what is there and what was asked
  GET    /events?after=&limit=&distinct= what the HEI receiver keeps
  POST   /clock    {"offset_s":900}      a wrong clock
  GET    /received                       the same as a page for a browser; ?q= filters
  POST   /receiver {"mode":"503","retry_after_s":5,"count":3}
                   ok, refuse_401, 413, 429, 503, … (any status), stall, cut, cut_after;
                   without count until another is set
  POST   /faults   {"job_fail_next":true} {"half_batch_next":true} {"no_capacity":true}
                   {"job_fail_next":true,"job":"delete"} {"disk_fail_next":true}
                   {"restriction":"frozen"} {"lock":"ID"} {"reclaim":"ID"}
  POST   /mishaps  {"do":"throttle","service":"ecs","path":"/detail","count":3}
                   do: throttle, flow_limit, flow_control, status, proxy, cut_before,
                   cut_after, slow (delay_ms), truncated, malformed
  GET    /mishaps  the rules; DELETE clears them

HEI receiver: POST / takes events, GET /ping, and with the same token
  POST   /query    {"query":"SELECT … FROM wangcheng","earliest":…,"latest":…}
  POST   /search, GET /search/ID, GET /search/ID/results?offset=&limit=, DELETE /search/ID"#;

/// Huawei Cloud's wire formats on loopback, with example users and an HEI receiver. Costs nothing, reaches nothing.
#[derive(Debug, Parser)]
#[command(name = "wangcheng-sandbox", version, after_long_help = CONTROL)]
struct Arguments {
    /// Write where everything listens, with the example keys, to this file (JSON)
    #[arg(long, value_name = "FILE")]
    announce: Option<PathBuf>,
    /// Keep the world in this file between runs
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Keep received events in this SQLite file
    #[arg(long, value_name = "FILE")]
    receiver: Option<PathBuf>,
    /// How fast: at 1 a server boots in some six seconds
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// How much shorter than half an hour a lease may be, as a divisor
    #[arg(long, default_value_t = 1.0)]
    lease_speed: f64,
    /// How fast the region's own clock goes, leases and bills with it: at 1440 a day goes by in a minute
    #[arg(long, default_value_t = 1.0)]
    clock_speed: f64,
    /// Put so many more running servers into the first region, for what only shows with long lists
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    more_servers: usize,
    /// Show the screen of this VNC server, which asks for no password, in place of the guests' own
    #[arg(long, value_name = "ADDRESS:PORT")]
    screen: Option<SocketAddr>,
    /// Use this port and the following ones instead of free ones
    #[arg(long, value_name = "PORT")]
    base_port: Option<u16>,
    /// Token the receiver asks for; an example one if absent
    #[arg(long, env = "WANGCHENG_SANDBOX_HEI_TOKEN", hide_env_values = true)]
    hei_token: Option<SecretString>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .init();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wangcheng-sandbox: {}", with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> sandbox::Result<()> {
    let defaults = Options::default();
    let running = Sandbox::start(Options {
        state_file: arguments.state,
        receiver_file: arguments.receiver,
        announce: arguments.announce,
        speed: arguments.speed,
        lease_speed: arguments.lease_speed,
        clock_speed: arguments.clock_speed,
        base_port: arguments.base_port,
        hei_token: arguments.hei_token.unwrap_or(defaults.hei_token),
    })
    .await?;
    running.add_servers(arguments.more_servers);
    if let Some(screen) = arguments.screen {
        running.show_screen(screen);
    }
    let announcement = running.announcement();
    for region in &announcement.regions {
        println!("{} ({}, {})", region.id, region.name_zh, region.name_en);
        for (service, url) in &region.endpoints {
            println!("  {service:<4} {url}");
        }
    }
    println!("HEI receiver {}", announcement.hei.url);
    println!("  what came  {}/received", announcement.control);
    println!("control      {}", announcement.control);
    println!("Ctrl+C stops it.");
    sandbox::told_to_stop().await;
    running.stop().await
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
