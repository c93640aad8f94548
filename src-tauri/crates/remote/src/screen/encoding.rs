//! The encodings of RFB that are understood, by their numbers (<https://github.com/rfbproto/rfbproto>).

pub(super) const RAW: i32 = 0;
pub(super) const COPY_RECT: i32 = 1;
pub(super) const RRE: i32 = 2;
pub(super) const HEXTILE: i32 = 5;
pub(super) const TIGHT: i32 = 7;
pub(super) const ZRLE: i32 = 16;
pub(super) const TIGHT_PNG: i32 = -260;
pub(super) const DESKTOP_SIZE: i32 = -223;
pub(super) const LAST_RECT: i32 = -224;
pub(super) const CURSOR: i32 = -239;
pub(super) const QEMU_KEYS: i32 = -258;
pub(super) const QEMU_LAMPS: i32 = -261;
pub(super) const DESKTOP_NAME: i32 = -307;
pub(super) const EXTENDED_DESKTOP_SIZE: i32 = -308;
const XVP: i32 = -309;
const FENCE: i32 = -312;
const CONTINUOUS_UPDATES: i32 = -313;
pub(super) const POINTER_BUTTONS: i32 = -316;
pub(super) const VMWARE_CURSOR: i32 = 0x574d_5664;

/// Whether the answers to it are understood. Not among them: the extended clipboard, whose content grows when it is unpacked,
/// and video.
pub(super) fn is_known(kind: i32) -> bool {
    match kind {
        RAW | COPY_RECT | RRE | HEXTILE | TIGHT | ZRLE | TIGHT_PNG => true,
        DESKTOP_SIZE | LAST_RECT | CURSOR | QEMU_KEYS | QEMU_LAMPS | DESKTOP_NAME => true,
        EXTENDED_DESKTOP_SIZE | XVP | FENCE | CONTINUOUS_UPDATES | POINTER_BUTTONS | VMWARE_CURSOR => true,
        // How good and how small pictures are to be.
        kind => (-32..=-23).contains(&kind) || (-256..=-247).contains(&kind),
    }
}
