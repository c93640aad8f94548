use huaweicloud::kps;

use super::{Case, PROJECT, case};

const PUBLIC_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExample ada";

pub fn cases() -> Vec<Case> {
    vec![
        case!("kps" "ListKeypairs" "", ["keypairs.keypair.name"], "keypairs", |client| {
            kps::key_pairs(client, &PROJECT.into())
        }),
        case!("kps" "ListKeypairDetail" "", ["keypair.name"], |client| {
            kps::key_pair(client, &PROJECT.into(), "ada")
        }),
        case!("kps" "CreateKeypair" "of a public key", ["keypair.name"], |client| {
            kps::import_key_pair(client, &PROJECT.into(), "ada", PUBLIC_KEY, kps::Scope::User)
        }),
        case!("kps" "CreateKeypair" "made by the cloud", ["keypair.name", "keypair.private_key"], |client| {
            kps::create_key_pair(client, &PROJECT.into(), "team", kps::Scope::Account)
        }),
        case!("kps" "DeleteKeypair" "", [], |client| {
            kps::delete_key_pair(client, &PROJECT.into(), "ada")
        }),
    ]
}
