//! What every verb has at hand: folders, a source of missing programs, a compiler.

use crate::fetch::Provider;
use crate::paths::Paths;
use crate::toolchain::Toolchain;
use anyhow::Result;
use std::cell::OnceCell;

/// The folders, the provider and the toolchain of this run of xtask.
#[derive(Debug)]
pub struct Workshop {
    /// Where things lie.
    pub paths: Paths,
    /// Gets what is missing.
    pub provider: Provider,
    toolchain: OnceCell<Toolchain>,
}

impl Workshop {
    /// Finds the folders; fetches nothing yet.
    pub fn open(no_install: bool) -> Result<Self> {
        let paths = Paths::find()?;
        let provider = Provider::new(&paths, no_install);
        Ok(Self {
            paths,
            provider,
            toolchain: OnceCell::new(),
        })
    }

    /// The compiler for the bare machine, chosen (and named on standard error) when first asked for.
    pub fn toolchain(&self) -> Result<&Toolchain> {
        if let Some(chosen) = self.toolchain.get() {
            return Ok(chosen);
        }
        let chosen = Toolchain::choose(&self.paths, &self.provider)?;
        eprintln!("toolchain: {}", chosen.describe());
        Ok(self.toolchain.get_or_init(|| chosen))
    }
}
