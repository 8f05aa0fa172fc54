//! The Linux kernel proper, taken out of its self-extracting wrapper.
//!
//! A distribution ships Linux as a `bzImage`: boot code, a decompressor and the compressed ELF image. Xen could unpack
//! it itself, but it would do so on an emulated CPU, which takes some three seconds of every single run. Here it is
//! done once, by the host, and the result stays in the cache.
//!
//! Source: the Linux/x86 boot protocol, fields `setup_sects` (0x1f1), `header` (0x202), `version` (0x206),
//! `payload_offset` (0x248) and `payload_length` (0x24c).

use std::io::Read;

use anyhow::{Context, Result, bail, ensure};
use flate2::read::GzDecoder;
use lzma_rust2::XzReader;

/// Bytes of a sector, in which the size of the real-mode part is counted.
const SECTOR: usize = 512;
/// The first version of the boot protocol that says where the payload is.
const VERSION_WITH_PAYLOAD: u16 = 0x0208;
/// More than any kernel is: bounds what a broken image can make us allocate.
const LARGEST_KERNEL: u64 = 512 << 20;

/// The ELF image inside a `bzImage`.
///
/// # Errors
/// The file is not a `bzImage`, is cut short, or is compressed in a way not known here.
pub fn unpack(image: &[u8]) -> Result<Vec<u8>> {
    let kernel = decompress(payload(image)?)?;
    ensure!(
        kernel.starts_with(b"\x7fELF"),
        "the payload of the bzImage is not an ELF file"
    );
    Ok(kernel)
}

/// The compressed part of a `bzImage`.
fn payload(image: &[u8]) -> Result<&[u8]> {
    ensure!(
        image.get(0x202..0x206) == Some(b"HdrS"),
        "not a bzImage: the boot protocol's magic is missing"
    );
    let version = u16::from_le_bytes(field(image, 0x206)?);
    ensure!(
        version >= VERSION_WITH_PAYLOAD,
        "bzImage of boot protocol {version:#06x}: older than 2.08"
    );
    let [setup_sectors] = field(image, 0x1f1)?;
    // By the protocol, a zero here stands for four, as in the times of boot floppies.
    let setup_sectors = if setup_sectors == 0 {
        4
    } else {
        usize::from(setup_sectors)
    };
    let start = (setup_sectors + 1) * SECTOR + u32::from_le_bytes(field(image, 0x248)?) as usize;
    let length = u32::from_le_bytes(field(image, 0x24c)?) as usize;
    image.get(start..start + length).with_context(|| {
        format!(
            "bzImage cut short: payload {start:#x}..{:#x}, file of {:#x} bytes",
            start + length,
            image.len()
        )
    })
}

/// `N` bytes of the header at `offset`.
fn field<const N: usize>(image: &[u8], offset: usize) -> Result<[u8; N]> {
    let bytes = image.get(offset..offset + N).and_then(|bytes| bytes.try_into().ok());
    bytes.with_context(|| format!("bzImage cut short in its header, at {offset:#x}"))
}

/// Decompresses a payload; the length that the kernel's build appends after it is not needed.
pub(super) fn decompress(payload: &[u8]) -> Result<Vec<u8>> {
    let mut reader: Box<dyn Read + '_> = match payload {
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Box::new(XzReader::new(payload, false)),
        [0x1f, 0x8b, ..] => Box::new(GzDecoder::new(payload)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => bail!("compressed with zstd, which is not supported here"),
        _ => bail!(
            "compressed in an unknown way: begins with {:02x?}",
            &payload[..payload.len().min(6)]
        ),
    };
    let mut unpacked = Vec::new();
    reader
        .by_ref()
        .take(LARGEST_KERNEL)
        .read_to_end(&mut unpacked)
        .context("the compressed data is damaged")?;
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `bzImage` with one setup sector and `payload` at offset 16 of the protected-mode part.
    fn image(payload: &[u8]) -> Vec<u8> {
        let mut image = vec![0; 2 * SECTOR + 16];
        image[0x1f1] = 1;
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x206..0x208].copy_from_slice(&0x020f_u16.to_le_bytes());
        image[0x248..0x24c].copy_from_slice(&16_u32.to_le_bytes());
        image[0x24c..0x250].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        image.extend_from_slice(payload);
        image
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed
            .write_all(data)
            .and_then(|()| packed.finish())
            .expect("writing into memory")
    }

    fn refusal(image: &[u8]) -> String {
        format!("{:#}", unpack(image).expect_err("the image is malformed"))
    }

    #[test]
    fn kernel_is_found_and_unpacked() {
        assert_eq!(
            unpack(&image(&gzip(b"\x7fELF kernel"))).expect("it is whole"),
            b"\x7fELF kernel"
        );
    }

    #[test]
    fn malformed_images_are_refused_by_name() {
        assert!(refusal(b"MZ").contains("not a bzImage"));
        assert!(refusal(&image(&gzip(b"text"))).contains("not an ELF file"));
        assert!(refusal(&image(b"\x28\xb5\x2f\xfd....")).contains("zstd"));
        assert!(refusal(&image(b"??????")).contains("unknown way"));
        let whole = image(&gzip(b"\x7fELF kernel"));
        assert!(refusal(&whole[..whole.len() - 1]).contains("cut short: payload 0x410"));
        assert!(refusal(&whole[..0x208]).contains("cut short in its header"));
        let mut damaged = whole;
        damaged[2 * SECTOR + 16 + 12] ^= 0xff;
        assert!(refusal(&damaged).contains("damaged"));
        let mut old = image(b"");
        old[0x206] = 7;
        assert!(refusal(&old).contains("older than 2.08"));
    }
}
