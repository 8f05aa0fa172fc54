//! The kernel's image: a platform's entry points, bound to the core. All else is library.
#![no_std]
#![no_main]

kernel_core::platform::entry!(kernel_core::Core);

// On a host the kernel is only checked, never run, and the standard library has the panic handler.
#[cfg(not(target_os = "none"))]
extern crate std;

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    kernel_core::panic::report(info)
}
