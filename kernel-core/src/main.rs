//! The kernel's image: a platform's entry points, bound to the core. All else is library.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

kernel_core::platform::entry!(kernel_core::Core);

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    kernel_core::panic::report(info)
}
