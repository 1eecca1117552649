//! `edge serve`: the best model over HTTP.

use std::sync::Arc;

use anyhow::Context as _;
use coordinator::schedule::until_asked_to_stop;
use report::pages::Route;
use serve::{App, Serving};

use super::listening;
use crate::{
    args::ServeArgs,
    context::{Context, say, wall_clock},
    exit::Status,
    night, pages,
};

pub(crate) fn run(args: &ServeArgs, context: &Arc<Context>) -> anyhow::Result<Status> {
    let listen = args.listen.as_ref().unwrap_or(&context.settings.serve.listen);
    let settings = listening::settings(context, listen, "127.0.0.1:8000")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = listening::listen(&settings).await?;
        let serving = Serving::empty("the model is being loaded");
        let address = listener.local_addr()?;
        load_in_background(context, &serving);
        say(&format!("edge: serving on http://{address} until ctrl-c or SIGTERM"));
        let pages = serve::pages_router(Route::PATTERNS, pages::answers(context)?);
        let router = serve::router_with(App::new(serving, settings, wall_clock), pages);
        let stop = async {
            if let Err(error) = until_asked_to_stop().await {
                tracing::error!(%error, "cannot listen for signals");
            }
        };
        serve::run_router(listener, router, stop).await.context("the endpoint stopped")
    })?;
    Ok(Status::Done)
}

/// Loads model and graph on a thread of its own, so that `/healthz` answers at once.
fn load_in_background(context: &Arc<Context>, serving: &Serving) {
    let (context, serving) = (Arc::clone(context), serving.clone());
    tokio::task::spawn_blocking(move || match night::best_predictor(&context, context.now) {
        Ok(predictor) => {
            say(&format!("edge: model {} is live", predictor.model().version));
            serving.set(predictor);
        }
        Err(error) => {
            say(&format!("edge: no model is served: {error:#}"));
            serving.refuse(format!("{error:#}"));
        }
    });
}
