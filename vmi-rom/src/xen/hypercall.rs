//! Asking Xen.
//!
//! A domain with hardware assistance leaves for its hypervisor by an instruction made for that, which AMD and Intel call and encode
//! differently. Which it is, is a byte found out at *Init*. Number in RAX, arguments in RDI, RSI, RDX; an answer below zero is an
//! error (public header `arch-x86/xen-x86_64.h`).

use crate::cell::Cell;
use crate::xen::detect;
use core::arch::naked_asm;

/// Not zero if the instruction is VMCALL.
static BY_VMCALL: Cell<u8> = Cell::new(0);

/// This domain, `DOMID_SELF`.
const SELF: u16 = 0x7ff0;

/// The hypercalls in use, by their numbers (`xen.h`).
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
enum Number {
    Memory = 12,
    Version = 17,
    Console = 18,
    Vcpu = 24,
    Sched = 29,
    EventChannel = 32,
    Hvm = 34,
}

/// Finds out which instruction it is. Part of *Init*.
pub fn start() {
    // SAFETY: Init runs alone, with interrupts masked.
    unsafe { BY_VMCALL.set(detect::calls_by_vmcall().into()) };
}

/// Asks; the answer is an error if it is below zero.
///
/// # Safety
/// The arguments are what the hypercall expects, and its effect is wanted.
unsafe fn call(number: Number, first: u64, second: u64, third: u64) -> i64 {
    enter(number as u64, first, second, third)
}

/// The instruction, with everything where Xen expects it.
#[unsafe(naked)]
extern "sysv64" fn enter(number: u64, first: u64, second: u64, third: u64) -> i64 {
    naked_asm!(
        "mov eax, edi",
        "mov rdi, rsi",
        "mov rsi, rdx",
        "mov rdx, rcx",
        "cmp byte ptr [rip + {by_vmcall}], 0",
        "jne 2f",
        "vmmcall",
        "ret",
        "2:",
        "vmcall",
        "ret",
        by_vmcall = sym BY_VMCALL,
    )
}

/// The address of an argument that Xen reads or writes during the call.
fn address<T>(argument: &mut T) -> u64 {
    &raw mut *argument as u64
}

/// Leaves for Xen and comes back: on the way it looks whether there is something to deliver.
pub fn pass_by() {
    const VERSION: u64 = 0;
    // SAFETY: it only answers.
    unsafe { call(Number::Version, VERSION, 0, 0) };
}

/// Whether Xen can deliver events by a vector (`features.h`, `XENFEAT_hvm_callback_vector`).
pub fn has_vector_callback() -> bool {
    const GET_FEATURES: u64 = 6;
    const VECTOR_CALLBACK: u32 = 1 << 8;
    /// `xen_feature_info`.
    #[repr(C)]
    struct Features {
        submap: u32,
        bits: u32,
    }
    let mut features = Features { submap: 0, bits: 0 };
    // SAFETY: Xen writes the answer, during the call.
    let answer = unsafe { call(Number::Version, GET_FEATURES, address(&mut features), 0) };
    answer >= 0 && features.bits & VECTOR_CALLBACK != 0
}

/// Puts the page that Xen shares with the whole domain in the place of frame `frame`; tells whether it did (`memory.h`,
/// `XENMEM_add_to_physmap`).
///
/// # Safety
/// What was in the frame is not needed.
pub unsafe fn place_shared_info(frame: u64) -> bool {
    const ADD_TO_PHYSMAP: u64 = 7;
    const SHARED_INFO: u32 = 0;
    #[repr(C)]
    struct Request {
        domain: u16,
        size: u16,
        space: u32,
        index: u64,
        frame: u64,
    }
    let mut request = Request {
        domain: SELF,
        size: 0,
        space: SHARED_INFO,
        index: 0,
        frame,
    };
    // SAFETY: Xen reads the request, during the call; the caller gives the frame away.
    unsafe { call(Number::Memory, ADD_TO_PHYSMAP, address(&mut request), 0) >= 0 }
}

/// A parameter of the domain (`hvm/params.h`).
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum Parameter {
    /// How events arrive.
    Callback = 0,
    /// The frame of the console's page; 0 if there is none.
    ConsoleFrame = 17,
    /// The event channel of the console.
    ConsolePort = 18,
}

/// `xen_hvm_param`.
#[repr(C)]
struct NamedValue {
    domain: u16,
    padding: u16,
    index: u32,
    value: u64,
}

impl NamedValue {
    fn new(parameter: Parameter, value: u64) -> Self {
        Self {
            domain: SELF,
            padding: 0,
            index: parameter as u32,
            value,
        }
    }
}

/// The value of a parameter; 0 if Xen does not tell (`hvm/hvm_op.h`, `HVMOP_get_param`).
pub fn parameter(parameter: Parameter) -> u64 {
    const GET: u64 = 1;
    let mut named = NamedValue::new(parameter, 0);
    // SAFETY: Xen writes the answer, during the call.
    let answer = unsafe { call(Number::Hvm, GET, address(&mut named), 0) };
    if answer < 0 { 0 } else { named.value }
}

/// Has events arrive as an interrupt of this vector, which Xen raises by itself, past the local APIC.
///
/// # Safety
/// The gate of the vector leads to the [upcall](super::upcall) on every CPU that has events.
pub unsafe fn set_upcall_vector(vector: u64) {
    const SET: u64 = 0;
    /// The kind of callback that is a vector, in the top byte.
    const BY_VECTOR: u64 = 2 << 56;
    let mut named = NamedValue::new(Parameter::Callback, BY_VECTOR | vector);
    // SAFETY: Xen reads the request, during the call; the caller vouches for the gate.
    unsafe { call(Number::Hvm, SET, address(&mut named), 0) };
}

/// Call 79: drops what all CPUs of the domain have cached of translations, and is done when it comes back (`HVMOP_flush_tlbs`). A CPU
/// that does not run at the moment is not disturbed: it drops them before it does.
pub extern "sysv64" fn flush_every_cpu() {
    const FLUSH_TLBS: u64 = 5;
    // SAFETY: a dropped translation is read from the tables again when it is needed.
    unsafe { call(Number::Hvm, FLUSH_TLBS, 0, 0) };
}

/// An interrupt of Xen's own (`xen.h`).
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum Virq {
    /// A virtual CPU's timer.
    Timer = 0,
    /// Input on the console of dom0.
    Console = 2,
}

/// Makes an event channel of one of Xen's interrupts for a virtual CPU (`event_channel.h`).
pub fn bind_virq(virq: Virq, vcpu: u32) -> Option<u32> {
    const BIND_VIRQ: u64 = 1;
    let mut bind = [virq as u32, vcpu, 0];
    // SAFETY: Xen reads the request and writes the port, during the call.
    let answer = unsafe { call(Number::EventChannel, BIND_VIRQ, address(&mut bind), 0) };
    (answer >= 0).then_some(bind[2])
}

/// Makes an event channel whose both ends are in this domain, and whose events arrive at a virtual CPU.
pub fn bind_messages(vcpu: u32) -> Option<u32> {
    const BIND_IPI: u64 = 7;
    let mut bind = [vcpu, 0];
    // SAFETY: as above.
    let answer = unsafe { call(Number::EventChannel, BIND_IPI, address(&mut bind), 0) };
    (answer >= 0).then_some(bind[1])
}

/// Sends an event.
pub fn send(mut port: u32) {
    const SEND: u64 = 4;
    // SAFETY: Xen reads the port, during the call.
    unsafe { call(Number::EventChannel, SEND, address(&mut port), 0) };
}

/// Lets events of a channel arrive, those too that are pending.
pub fn unmask(mut port: u32) {
    const UNMASK: u64 = 9;
    // SAFETY: Xen reads the port, during the call.
    unsafe { call(Number::EventChannel, UNMASK, address(&mut port), 0) };
}

/// Has Xen keep the `vcpu_info` of a virtual CPU at byte `offset` of frame `frame` from now on; tells whether it does (`vcpu.h`).
///
/// # Safety
/// The 64 bytes are Xen's for good.
pub unsafe fn register_info(vcpu: u32, frame: u64, offset: u32) -> bool {
    const REGISTER_VCPU_INFO: u64 = 10;
    #[repr(C)]
    struct Place {
        frame: u64,
        offset: u32,
        reserved: u32,
    }
    let mut place = Place {
        frame,
        offset,
        reserved: 0,
    };
    // SAFETY: Xen reads the request, during the call; the caller gives the bytes away.
    unsafe { call(Number::Vcpu, REGISTER_VCPU_INFO, vcpu.into(), address(&mut place)) >= 0 }
}

/// Has Xen keep account of a virtual CPU's time at this address.
///
/// # Safety
/// The bytes of a `vcpu_runstate_info` there are Xen's for good, and mapped in every address space.
pub unsafe fn register_runstate(vcpu: u32, mut place: u64) {
    const REGISTER_RUNSTATE: u64 = 5;
    // SAFETY: as above.
    unsafe { call(Number::Vcpu, REGISTER_RUNSTATE, vcpu.into(), address(&mut place)) };
}

/// Has the timer event of this virtual CPU come at a moment of system time.
pub fn set_timer(vcpu: u32, deadline: u64) {
    const SET_SINGLESHOT_TIMER: u64 = 8;
    /// `vcpu_set_singleshot_timer`.
    #[repr(C)]
    struct Alarm {
        deadline: u64,
        flags: u32,
    }
    // Xen's moments are signed.
    let deadline = deadline.min(i64::MAX as u64);
    let mut alarm = Alarm { deadline, flags: 0 };
    // SAFETY: Xen reads the request, during the call.
    unsafe { call(Number::Vcpu, SET_SINGLESHOT_TIMER, vcpu.into(), address(&mut alarm)) };
}

/// Takes that back.
pub fn stop_timer(vcpu: u32) {
    const STOP_SINGLESHOT_TIMER: u64 = 9;
    // SAFETY: fewer interrupts harm nobody.
    unsafe { call(Number::Vcpu, STOP_SINGLESHOT_TIMER, vcpu.into(), 0) };
}

/// Stops the timer that a virtual CPU may be born with.
pub fn stop_ticking(vcpu: u32) {
    const STOP_PERIODIC_TIMER: u64 = 7;
    // SAFETY: as above.
    unsafe { call(Number::Vcpu, STOP_PERIODIC_TIMER, vcpu.into(), 0) };
}

/// Tells the state in which a virtual CPU is to begin; tells whether Xen accepts it.
///
/// # Safety
/// The state, a `vcpu_hvm_context`, is right for the code it begins with.
pub unsafe fn initialise<T>(vcpu: u32, context: &mut T) -> bool {
    const INITIALISE: u64 = 0;
    // SAFETY: Xen reads the state, during the call; the caller vouches for it.
    unsafe { call(Number::Vcpu, INITIALISE, vcpu.into(), address(context)) >= 0 }
}

/// Starts a virtual CPU.
///
/// # Safety
/// All that the code it begins with relies on is there.
pub unsafe fn bring_up(vcpu: u32) {
    const UP: u64 = 1;
    // SAFETY: the caller vouches for what runs then.
    unsafe { call(Number::Vcpu, UP, vcpu.into(), 0) };
}

/// Lets other virtual CPUs run (`sched.h`).
pub fn give_way() {
    const YIELD: u64 = 0;
    // SAFETY: this CPU goes on here.
    unsafe { call(Number::Sched, YIELD, 0, 0) };
}

/// Why a domain ends.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum Reason {
    /// It is done.
    PowerOff = 0,
    /// It wants to be started anew.
    Reboot = 1,
}

/// Ends the domain.
pub fn shutdown(reason: Reason) {
    const SHUTDOWN: u64 = 2;
    let mut reason = reason as u32;
    // SAFETY: Xen reads the reason, during the call.
    unsafe { call(Number::Sched, SHUTDOWN, address(&mut reason), 0) };
}

/// Has Xen print; tells whether it does (`xen.h`, `CONSOLEIO_write`).
///
/// # Safety
/// The bytes can be read.
pub unsafe fn print(bytes: *const u8, length: usize) -> bool {
    const WRITE: u64 = 0;
    // SAFETY: Xen reads the bytes, during the call; the caller vouches for them.
    unsafe { call(Number::Console, WRITE, length as u64, bytes as u64) >= 0 }
}

/// A byte that was typed on Xen's console.
pub fn typed() -> Option<u8> {
    const READ: u64 = 1;
    let mut byte = 0u8;
    // SAFETY: Xen writes the byte, during the call.
    let count = unsafe { call(Number::Console, READ, 1, address(&mut byte)) };
    (count == 1).then_some(byte)
}
