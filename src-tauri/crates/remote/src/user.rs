//! As whom to log in, when nobody said so: guessed from the name of the image.

/// The users that this image is likely to have, most likely first. Never empty.
///
/// The cloud's own images let one in as root (Windows: Administrator). Images that somebody brought along keep what the
/// distribution gives them.
pub fn guess(image: &str, public: bool) -> Vec<&'static str> {
    let image = image.to_lowercase();
    if image.contains("windows") {
        return vec!["Administrator"];
    }
    let own = [
        ("ubuntu", "ubuntu"),
        ("debian", "debian"),
        ("centos", "centos"),
        ("fedora", "fedora"),
        ("rocky", "rocky"),
        ("almalinux", "almalinux"),
        ("opensuse", "opensuse"),
        ("freebsd", "freebsd"),
        ("coreos", "core"),
        ("arch", "arch"),
        ("amazon", "ec2-user"),
        ("red hat", "cloud-user"),
        ("rhel", "cloud-user"),
    ];
    let own = own
        .iter()
        .find(|(name, _)| image.contains(name))
        .map(|(_, user)| *user);
    match (public, own) {
        (_, None) => vec!["root"],
        (true, Some(user)) => vec!["root", user],
        (false, Some(user)) => vec![user, "root"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clouds_own_images_let_root_in_and_others_keep_their_user() {
        assert_eq!(guess("Ubuntu 22.04 server 64bit", true), ["root", "ubuntu"]);
        assert_eq!(guess("our-ubuntu-22.04", false), ["ubuntu", "root"]);
        assert_eq!(guess("Huawei Cloud EulerOS 2.0", true), ["root"]);
        assert_eq!(guess("Windows Server 2022", true), ["Administrator"]);
        assert_eq!(guess("", false), ["root"]);
    }
}
