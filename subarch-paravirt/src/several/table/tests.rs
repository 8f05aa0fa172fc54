use super::*;

/// 256 bytes of code, then 256 of constants.
struct Sample([u8; 512]);

const CODE: u64 = 0x10_0000;
const CONSTANTS: u64 = CODE + 256;
/// Where the table is.
const TABLE: u64 = CONSTANTS + 128;

impl Image for Sample {
    fn parts(&self) -> &[Range<u64>; 2] {
        &[CODE..CONSTANTS, CONSTANTS..CONSTANTS + 256]
    }

    fn bytes(&self, address: u64, length: usize) -> &[u8] {
        &self.0[(address - CODE) as usize..][..length]
    }
}

/// An image of branches in which an alternative of three bytes is at the beginning of the constants.
fn sample() -> Sample {
    let mut bytes = [0; 512];
    for at in (0..256 - JUMP_SIZE).step_by(JUMP_SIZE) {
        bytes[at..at + JUMP_SIZE].copy_from_slice(&BRANCH);
    }
    bytes[256..261].copy_from_slice(&[3, 3, 0xa, 0xb, 0xc]);
    bytes[288..290].copy_from_slice(&[3, 4]);
    bytes[290..292].copy_from_slice(&[99, 99]);
    bytes[292..294].copy_from_slice(&[5, 3]);
    bytes[296..301].copy_from_slice(&[4, 3, 0xa, 0xb, 0xc]);
    // `jne` behind a byte, from its end 0x100 bytes back.
    bytes[304..313].copy_from_slice(&[7, 7 | MOVED, 0xa, 0x0f, 0x85, 0x00, 0xff, 0xff, 0xff]);
    bytes[320..325].copy_from_slice(&[3, 3 | MOVED, 0xa, 0xb, 0xc]);
    bytes[336..345].copy_from_slice(&[7, 7 | MOVED, 0xa, 0x0f, 0x85, 0, 0, 0, 0]);
    Sample(bytes)
}

/// The record at index `index` of a site that becomes what is at `becomes`.
fn record(index: u64, site: u64, becomes: u64) -> Record {
    let at = TABLE + index * RECORD_SIZE as u64;
    Record {
        site: site.wrapping_sub(at) as i32,
        becomes: becomes.wrapping_sub(at + 4) as i32,
    }
}

fn all(pairs: &[(u64, u64)]) -> Result<Vec<Change>, SiteError> {
    let records: Vec<_> = (0..)
        .zip(pairs)
        .map(|(index, (site, becomes))| record(index, *site, *becomes))
        .collect();
    let mut found = Vec::new();
    for_each(&records, TABLE, &sample(), |change| {
        found.push(change.clone());
        Ok(())
    })
    .map(|()| found)
}

#[test]
fn a_branch_becomes_a_jump_and_an_alternative_its_bytes() {
    let found = all(&[(CODE, CODE + 0x85), (CODE + 5, CONSTANTS)]).unwrap();
    assert_eq!(found[0].bytes(), [0xe9, 0x80, 0, 0, 0]);
    assert_eq!(
        (found[1].site, found[1].bytes()),
        (CODE + 5, [0xa, 0xb, 0xc].as_slice())
    );
}

#[test]
fn an_alternative_that_lacks_a_prefix_gets_one() {
    assert_eq!(
        all(&[(CODE, CONSTANTS + 40)]).unwrap()[0].bytes(),
        [0x2e, 0xa, 0xb, 0xc]
    );
}

#[test]
fn a_distance_is_told_anew_where_it_is_moved_to() {
    let target = CONSTANTS + 57 - 0x100;
    let found = all(&[(CODE + 1, CONSTANTS + 48)]).unwrap();
    let distance = (target - (CODE + 8)) as u8;
    assert_eq!(found[0].bytes(), [0xa, 0x0f, 0x85, distance, 0, 0, 0]);
}

#[test]
fn a_distance_that_leads_out_of_the_code_or_is_none_is_refused() {
    assert_eq!(all(&[(CODE, CONSTANTS + 80)]), Err(SiteError::Astray(CODE)));
    assert_eq!(all(&[(CODE, CONSTANTS + 64)]), Err(SiteError::Length(CODE)));
}

#[test]
fn sites_that_overlap_are_refused() {
    assert_eq!(
        all(&[(CODE, CODE), (CODE + 4, CODE)]),
        Err(SiteError::Overlap(CODE + 4))
    );
    assert_eq!(all(&[(CODE + 5, CODE), (CODE, CODE)]), Err(SiteError::Overlap(CODE)));
}

#[test]
fn sites_outside_the_code_are_refused() {
    for site in [CODE - 1, CONSTANTS - 4, CONSTANTS, 0] {
        assert_eq!(all(&[(site, CODE)]), Err(SiteError::Outside(site)));
    }
}

#[test]
fn what_leads_out_of_the_image_is_refused() {
    for becomes in [CODE - 1, CONSTANTS + 256, CONSTANTS + 250] {
        assert_eq!(all(&[(CODE, becomes)]), Err(SiteError::Astray(CODE)));
    }
}

#[test]
fn a_wrong_length_is_refused() {
    for becomes in [CONSTANTS + 32, CONSTANTS + 34, CONSTANTS + 36] {
        assert_eq!(all(&[(CODE, becomes)]), Err(SiteError::Length(CODE)));
    }
}

#[test]
fn what_is_no_branch_is_not_made_one() {
    let found = all(&[(CODE, CODE), (CODE + 6, CODE)]).unwrap();
    assert_eq!(check_compiled(&found[0], &sample()), Ok(()));
    assert_eq!(check_compiled(&found[1], &sample()), Err(SiteError::NoBranch(CODE + 6)));
    for (start, outcome) in [([PREFIX; 2], Ok(())), ([PREFIX, 0x83], Err(SiteError::NoBranch(CODE)))] {
        let mut image = sample();
        image.0[..2].copy_from_slice(&start);
        assert_eq!(check_compiled(&found[0], &image), outcome);
    }
}

#[test]
fn what_was_not_made_is_noticed() {
    let found = all(&[(CODE, CODE + 0x80)]).unwrap();
    let mut image = sample();
    assert_eq!(check_made(&found[0], &image), Err(SiteError::Changed(CODE)));
    image.0[..5].copy_from_slice(found[0].bytes());
    assert_eq!(check_made(&found[0], &image), Ok(()));
}
