//! Compiles the configuration into the program and makes a permission of each command, so that a window can do only
//! what its capability lists.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The built interface is part of the program.
    println!("cargo:rerun-if-changed=../ui/dist");
    let manifest = tauri_build::AppManifest::new().commands(&[
        "call",
        "watch",
        "session",
        "session_type",
        "session_output",
        "session_watch",
        "session_picture",
        "session_files",
        "session_local",
        "session_drops",
        "session_tunnels",
        "session_recordings",
    ]);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))?;
    Ok(())
}
