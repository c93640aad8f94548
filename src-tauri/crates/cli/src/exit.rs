//! How the program ends, as scripts see it. Stable: documented in `--help`.

/// An exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It was done.
    Ok = 0,
    /// It was tried and failed.
    Failed = 1,
    // 2, the command line itself is wrong, is what clap ends with by itself.
    /// Nobody is signed in, or the key is refused or cannot be read.
    NotSignedIn = 3,
    /// Refused or cancelled here; nothing was sent.
    Refused = 4,
    /// The other side could not be reached, or it took too long.
    Network = 5,
    /// Ctrl+C.
    Cancelled = 130,
}

/// What `--help` says of them.
pub const HELP: &str = "Exit codes:
  0    done
  1    tried and failed
  2    the command line is wrong
  3    nobody is signed in, or the key is refused or cannot be read
  4    refused or cancelled here; nothing was sent
  5    the other side could not be reached, or --timeout passed
  130  stopped with Ctrl+C; an operation that was sent goes on

Keys come from a prompt, from standard input, or from HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK and
HUAWEICLOUD_SDK_SECURITY_TOKEN, never from arguments. With these variables and --region, any command is signed in for
this run only.";

impl Exit {
    /// From the stable code of an error. `sent`: the cloud was already asked, so it is no refusal of ours any more.
    pub fn of(code: &str, sent: bool) -> Self {
        match code {
            "not_signed_in"
            | "signature_wrong"
            | "clock_wrong"
            | "key_locked"
            | "key_not_stored"
            | "keychain_locked"
            | "keychain_absent"
            | "keychain_timeout"
            | "keychain_failed"
            | "account_unknown"
            | "search_token_refused"
            | "delivery_token_refused" => Self::NotSignedIn,
            "network_unreachable"
            | "throttled"
            | "delivery_unreachable"
            | "delivery_unavailable"
            | "delivery_throttled"
            | "search_unreachable"
            | "search_unavailable"
            | "wait_timeout" => Self::Network,
            _ if sent => Self::Failed,
            "account_name_invalid"
            | "access_key_invalid"
            | "region_unknown"
            | "demo_unavailable"
            | "name_invalid"
            | "purpose_invalid"
            | "lease_too_short"
            | "lease_too_long"
            | "lease_absent"
            | "template_unknown"
            | "template_invalid"
            | "templates_unreadable"
            | "user_data_too_long"
            | "user_data_kind"
            | "user_data_unreadable"
            | "user_data_key"
            | "address_invalid"
            | "address_too_wide"
            | "not_adopted"
            | "already_own"
            | "resize_impossible"
            | "stop_needed"
            | "tag_invalid"
            | "tag_kept"
            | "tags_too_many"
            | "password_invalid"
            | "password_plugin_missing"
            | "flavor_unavailable"
            | "image_unavailable"
            | "zone_unavailable"
            | "network_missing"
            | "subnet_full"
            | "key_pair_missing"
            | "bandwidth_invalid"
            | "quota_reached"
            | "grant_link_invalid"
            | "grant_fingerprint"
            | "grant_unreadable"
            | "grant_newer"
            | "grant_stranger"
            | "grant_signature_wrong"
            | "grant_key_changed"
            | "grant_of_other"
            | "grant_other_joined"
            | "grant_older"
            | "grant_from_future"
            | "grant_expired"
            | "grant_revoked"
            | "grant_not_named"
            | "grant_absent"
            | "grant_limit"
            | "grant_not_allowed"
            | "grant_price_unknown"
            | "grant_no_office"
            | "grant_office_there"
            | "grant_key_absent"
            | "grant_passphrase"
            | "grant_token_closed"
            | "grant_backup"
            | "server_unknown"
            | "not_own"
            | "name_mismatch"
            | "name_ambiguous"
            | "server_busy"
            | "state_conflict"
            | "confirmation_missing"
            | "input_missing"
            | "disk_unknown"
            | "disk_size_invalid"
            | "disk_type_unavailable"
            | "disk_slots_full"
            | "disk_attached"
            | "disk_not_attached"
            | "disk_is_system"
            | "leftover_unknown"
            | "operation_unknown"
            | "ledger_in_use"
            | "ledger_newer"
            | "ledger_full"
            | "ledger_read_only"
            | "delivery_not_configured"
            | "delivery_address_invalid"
            | "search_not_configured"
            | "search_profile_invalid"
            | "pull_under_way"
            | "export_unreadable"
            | "bad_input" => Self::Refused,
            _ => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_quota_is_our_refusal_before_and_the_clouds_after_the_request() {
        assert_eq!(Exit::of("quota_reached", false), Exit::Refused);
        assert_eq!(Exit::of("quota_reached", true), Exit::Failed);
        assert_eq!(
            Exit::of("signature_wrong", true),
            Exit::NotSignedIn,
            "a refused key is one whenever it is refused"
        );
    }
}
