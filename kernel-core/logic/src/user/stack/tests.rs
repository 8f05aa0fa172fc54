use super::super::auxiliary::{AT_EXECFN, AT_PAGESZ, AT_RANDOM};
use super::*;
use proptest::prelude::*;

const TOP: u64 = 0x7fff_f000_0000;

/// What a program finds on its stack.
#[derive(PartialEq, Debug)]
struct Found {
    arguments: Vec<Vec<u8>>,
    environment: Vec<Vec<u8>>,
    auxiliary: Vec<(u64, u64)>,
}

/// A program's view: it has the stack pointer, and reads on.
struct Reader<'a> {
    image: &'a Image,
    at: u64,
}

impl Reader<'_> {
    fn word(&mut self) -> u64 {
        let bytes = &self.image.bytes[(self.at - self.image.pointer) as usize..][..8];
        self.at += 8;
        u64::from_le_bytes(bytes.try_into().unwrap())
    }

    fn bytes_at(&self, address: u64) -> &[u8] {
        &self.image.bytes[(address - self.image.pointer) as usize..]
    }

    fn string_at(&self, address: u64) -> Vec<u8> {
        self.bytes_at(address)
            .iter()
            .copied()
            .take_while(|byte| *byte != 0)
            .collect()
    }

    fn strings(&mut self) -> Vec<Vec<u8>> {
        let addresses: Vec<_> = std::iter::from_fn(|| Some(self.word()).filter(|address| *address != 0)).collect();
        addresses.into_iter().map(|address| self.string_at(address)).collect()
    }

    fn all(&mut self) -> Found {
        let count = self.word();
        let arguments = self.strings();
        assert_eq!(arguments.len() as u64, count);
        let environment = self.strings();
        let pair = || Some((self.word(), self.word())).filter(|(kind, _)| *kind != AT_NULL);
        let auxiliary = std::iter::from_fn(pair).collect();
        Found {
            arguments,
            environment,
            auxiliary,
        }
    }
}

fn read(image: &Image) -> Found {
    Reader {
        image,
        at: image.pointer,
    }
    .all()
}

#[test]
fn the_smallest_stack_is_as_the_abi_draws_it() {
    let image = image(TOP, &[b"a"], &[], &[(AT_PAGESZ, 4096)]).unwrap();
    let string = TOP - 80 + 64;
    let words = [1, string, 0, 0, AT_PAGESZ, 4096, 0, 0, u64::from(b'a'), 0];
    assert_eq!(image.pointer, TOP - 80);
    assert_eq!(image.bytes, words.map(u64::to_le_bytes).concat());
}

#[test]
fn attached_bytes_are_found_by_their_address() {
    let random: Vec<u8> = (1..=16).collect();
    let image = image_with(TOP, &[], &[], &[], &[(AT_RANDOM, &random), (AT_EXECFN, b"/init\0")]).unwrap();
    let reader = Reader {
        image: &image,
        at: image.pointer,
    };
    let [(AT_RANDOM, at_random), (AT_EXECFN, at_name)] = read(&image).auxiliary[..] else {
        panic!("two values were passed");
    };
    assert_eq!(
        (&reader.bytes_at(at_random)[..16], reader.string_at(at_name)),
        (&random[..], b"/init".to_vec())
    );
}

#[test]
fn refusals_name_what_is_wrong() {
    let long = vec![b'x'; MAX_STRING];
    assert_eq!(
        image(TOP, &[&long], &[], &[]),
        Err(StackError::StringTooLong(MAX_STRING))
    );
    assert_eq!(image(TOP, &[b"ok"], &[b"A=\0"], &[]), Err(StackError::ZeroInString(2)));
    let many = [&long[1..]; 16];
    assert_eq!(
        image(TOP, &many[..15], &[], &[]).map(|image| image.bytes.len()),
        Ok(15 * MAX_STRING + 160)
    );
    assert_eq!(image(TOP, &many, &[], &[]), Err(StackError::TooLarge(MAX_IMAGE + 176)));
    for top in [TOP + 8, 0, LOWEST + MAX_IMAGE - 16, USER_END + 16, u64::MAX - 15] {
        assert_eq!(image(top, &[], &[], &[]), Err(StackError::BadTop(top)));
    }
}

fn strings() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(1u8.., 0..20), 0..8)
}

proptest! {
    #[test]
    fn a_program_finds_what_it_was_given(
        arguments in strings(),
        environment in strings(),
        auxiliary in prop::collection::vec((1u64..40, any::<u64>()), 0..20),
    ) {
        let [passed_arguments, passed_environment] =
            [&arguments, &environment].map(|strings| strings.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let image = image(TOP, &passed_arguments, &passed_environment, &auxiliary).unwrap();
        prop_assert_eq!(image.pointer % 16, 0);
        prop_assert_eq!(image.pointer + image.bytes.len() as u64, TOP);
        prop_assert_eq!(read(&image), Found { arguments, environment, auxiliary });
    }
}
