//! Event channels: the interrupts of a PV guest.
//!
//! A channel has two ends, or one end and a *virtual interrupt* (VIRQ) of Xen's as its other. The guest knows its end as a
//! port number. Source: Xen's public header `event_channel.h`; VIRQ numbers in `xen.h`.

use super::{Call, Refused, call};

/// The number of one event channel in this domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Port(pub u32);

/// Interrupts that come from Xen itself.
#[derive(Clone, Copy, Debug)]
pub enum Virq {
    /// The timer of a virtual CPU.
    Timer = 0,
    /// Input on the console (dom0 only).
    Console = 2,
}

const BIND_VIRQ: u64 = 1;
pub const SEND: u64 = 4;
const BIND_IPI: u64 = 7;
const UNMASK: u64 = 9;

/// Makes `virq` of virtual CPU `vcpu` arrive through an event channel of its own.
///
/// # Errors
/// `EEXIST` if it does already, `EINVAL` or `EPERM` if this domain may not have it.
pub fn bind_virq(virq: Virq, vcpu: u32) -> Result<Port, Refused> {
    /// `evtchn_bind_virq`; Xen fills in the port.
    #[repr(C)]
    struct Bind {
        virq: u32,
        vcpu: u32,
        port: u32,
    }
    let mut bind = Bind {
        virq: virq as u32,
        vcpu,
        port: 0,
    };
    // SAFETY: the request outlives the call.
    unsafe { call(Call::EventChannelOp, [BIND_VIRQ, &raw mut bind as u64])? };
    Ok(Port(bind.port))
}

/// Makes an event channel with both ends in this domain, whose events arrive on virtual CPU `vcpu`.
///
/// # Errors
/// `ENOENT` if there is no such CPU, `ENOSPC` if there are no more channels.
pub fn bind_ipi(vcpu: u32) -> Result<Port, Refused> {
    /// `evtchn_bind_ipi`; Xen fills in the port.
    #[repr(C)]
    struct Bind {
        vcpu: u32,
        port: u32,
    }
    let mut bind = Bind { vcpu, port: 0 };
    // SAFETY: the request outlives the call.
    unsafe { call(Call::EventChannelOp, [BIND_IPI, &raw mut bind as u64])? };
    Ok(Port(bind.port))
}

/// Notifies the other end of `port`.
///
/// # Errors
/// `EINVAL` if the port is not connected.
pub fn send(port: Port) -> Result<u64, Refused> {
    // SAFETY: the request, a single port number, outlives the call.
    unsafe { call(Call::EventChannelOp, [SEND, &raw const port as u64]) }
}

/// Unmasks `port`; if it is pending already it is delivered now.
///
/// # Errors
/// `EINVAL` if there is no such port.
pub fn unmask(port: Port) -> Result<u64, Refused> {
    // SAFETY: the request, a single port number, outlives the call.
    unsafe { call(Call::EventChannelOp, [UNMASK, &raw const port as u64]) }
}
