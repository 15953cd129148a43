//! `authspec explain`: one requirement from duty to remedy.

use super::arguments::{ExplainArgs, ExplainFormat};
use super::console::{colour, width};
use super::run::explain as fail;
use super::{exit, say};
use crate::catalogue::Catalogue;
use crate::explain::explain;
use crate::model::explanation::Explanation;
use crate::report::explanation::explanation;
use crate::run::Failure;

/// Prints each requirement that the arguments name, in their order.
pub(super) async fn print(args: ExplainArgs) -> u8 {
    match text(&args).await {
        Ok(text) => {
            say(text.trim_end());
            exit::PASSED
        }
        Err(failure) => fail(&failure),
    }
}

async fn text(args: &ExplainArgs) -> Result<String, Failure> {
    let catalogue = Catalogue::load().map_err(Failure::Own)?;
    let named = args.ids.iter().map(|id| catalogue.named(id.trim_start_matches('@')));
    let requirements: Vec<_> = named.collect::<Result<_, _>>().map_err(Failure::Usage)?;
    let mut all: Vec<Explanation> = Vec::with_capacity(requirements.len());
    for requirement in requirements {
        all.push(explain(catalogue, requirement).await);
    }
    match args.format {
        ExplainFormat::Json => serde_json::to_string_pretty(&all)
            .map_err(|e| Failure::Own(format!("the explanation cannot be written as JSON: {e}"))),
        ExplainFormat::Text => {
            let (width, colour) = (width(), colour());
            let pages: Vec<String> = all.iter().map(|e| explanation(e, width, colour)).collect();
            Ok(pages.join("\n\n"))
        }
    }
}
