//! Generates the messages of `proto/koe/v1` and their JSON mapping, without an installed protoc.

use std::error::Error;
use std::path::PathBuf;

const FILES: [&str; 9] = ["event", "command", "query", "change", "operate", "manage", "moderate", "read", "undo"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets it")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let descriptors =
        protox::compile(FILES.map(|file| root.join(format!("koe/v1/{file}.proto"))), [root.clone()])?;

    prost_build::Config::new()
        .bytes(["."])
        .compile_well_known_types()
        .extern_path(".google.protobuf.Timestamp", "crate::time::Timestamp")
        .compile_fds(descriptors.clone())?;

    // Unknown fields in JSON are a person's typing error and stay refused, which is the default.
    let encoded = prost_encode(&descriptors);
    pbjson_build::Builder::new().register_descriptors(&encoded)?.build(&[".koe.v1"])?;
    Ok(())
}

fn prost_encode(descriptors: &impl prost::Message) -> Vec<u8> {
    descriptors.encode_to_vec()
}
