//! Which Xen this is, and what it can do. Source: Xen's public headers `version.h` and `features.h`.

use super::{Call, Refused, call};

const VERSION: u64 = 0;
const GET_FEATURES: u64 = 6;

/// Xen's version, major and minor.
///
/// It is also the cheapest hypercall that changes nothing: like every other it ends with Xen looking for events to
/// deliver, which is what `irq.rs` makes it for.
///
/// # Errors
/// None.
#[inline(always)]
pub fn version() -> Result<(u16, u16), Refused> {
    // SAFETY: it only answers.
    let version = unsafe { call(Call::XenVersion, [VERSION, 0])? };
    Ok(((version >> 16) as u16, version as u16))
}

/// The first 32 of the features that Xen offers this domain, as a bit map by number (`XENFEAT_*`).
///
/// # Errors
/// None.
pub fn features() -> Result<u32, Refused> {
    /// `xen_feature_info`; Xen fills in the map.
    #[repr(C)]
    struct Info {
        index: u32,
        map: u32,
    }
    let mut info = Info { index: 0, map: 0 };
    // SAFETY: Xen writes the answer, during the call.
    unsafe { call(Call::XenVersion, [GET_FEATURES, &raw mut info as u64])? };
    Ok(info.map)
}
