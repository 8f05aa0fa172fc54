//! Lines of code, as `rustfmt` lays it out.
//!
//! A line counts if something of it is compiled into the program: not if it is blank, not if it is a comment, and not if it is in a
//! module or before an item that only tests have. CI checks the layout, so indentation tells where such an item ends, and no
//! parser is needed.

/// The numbers and texts of the lines of `source` that count, without indentation.
pub fn code(source: &str) -> Vec<(usize, &str)> {
    let mut lines = source.lines().enumerate();
    let mut code = Vec::new();
    while let Some((number, line)) = lines.next() {
        let text = line.trim();
        if text == "#[cfg(test)]" {
            skip_item(&mut lines, indentation(line));
        } else if !text.is_empty() && !text.starts_with("//") {
            code.push((number + 1, text));
        }
    }
    code
}

/// Leaves out the item that follows: up to a line with its indentation that ends it.
fn skip_item<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>, indentation_of_item: usize) {
    let ends = |line: &str| {
        let text = line.trim_end();
        indentation(line) == indentation_of_item && (text.ends_with(';') || text.ends_with('}') || text.ends_with("},"))
    };
    lines.find(|(_, line)| !line.trim().is_empty() && ends(line));
}

/// How many spaces `line` begins with.
fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_comments_and_tests_do_not_count() {
        let source = "\
//! A module.

/// Something.
pub fn something() {
    work(); // with a comment

    // more
    work();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_works() {
        something();
    }
}

struct Behind;

impl Behind {
    #[cfg(test)]
    #[inline]
    fn of_tests(&self) {
        something();
    }

    fn of_all() {}
}

#[cfg(test)]
mod further;
";
        let texts: Vec<&str> = code(source).into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            texts,
            [
                "pub fn something() {",
                "work(); // with a comment",
                "work();",
                "}",
                "struct Behind;",
                "impl Behind {",
                "fn of_all() {}",
                "}"
            ]
        );
        assert_eq!(code(source)[4].0, 21);
    }
}
