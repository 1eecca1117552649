//! `edge serve`: the best model over HTTP.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use coordinator::schedule::until_asked_to_stop;
use report::pages::Route;
use serve::{App, EngineSettings, Keeper, Outcome, Serving, Settings};

use super::listening;
use crate::{
    args::ServeArgs,
    context::{Context, say, wall_clock},
    exit::{Status, Usage},
    night, pages,
};

pub(crate) fn run(args: &ServeArgs, context: &Arc<Context>) -> anyhow::Result<Status> {
    let own = &context.settings.serve;
    let settings =
        listening::settings(context, args.listen.as_ref().unwrap_or(&own.listen), "127.0.0.1:8000")?;
    let threads = match own.threads {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        threads => threads,
    };
    let engine = EngineSettings { threads, queue: own.queue, batch: own.batch, ..EngineSettings::default() };
    let settings = Settings { engine, stale_after: own.stale_after, ..settings };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = listening::listen(&settings).await?;
        let serving = Serving::empty("the model is being loaded");
        let (scheme, address) = (listener.scheme(), listener.local_addr()?);
        let keeper = keep(context, &serving)?;
        say(&format!("edge: serving on {scheme}://{address} until ctrl-c or SIGTERM"));
        let pages = serve::pages_router(Route::PATTERNS, pages::answers(context)?);
        let app = App::with_keeper(serving, settings, wall_clock, Some(Arc::clone(&keeper)));
        let stop = async {
            if let Err(error) = until_asked_to_stop().await {
                tracing::error!(%error, "cannot listen for signals");
            }
        };
        let served = serve::run_router(listener, serve::router_with(app, pages), stop).await;
        keeper.stop();
        served.context("the endpoint stopped")
    })?;
    // A look that has begun may take longer; it changes nothing outside of this process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(Status::Done)
}

/// Loads on a thread of its own, so that `/healthz` answers at once, and looks again and again.
fn keep(context: &Arc<Context>, serving: &Serving) -> anyhow::Result<Arc<Keeper>> {
    let own = &context.settings.serve;
    let source = night::StoreSource::new(Arc::clone(context), own.refresh_every, own.shadow);
    let keeper = Arc::new(Keeper::new(serving.clone(), Box::new(source), own.warm_hours));
    let every = Duration::try_from(own.look_every)
        .map_err(|_| Usage("serve.look_every must not be negative".to_owned()))?;
    let looking = Arc::clone(&keeper);
    let tell = |outcome: &Outcome| match outcome {
        Outcome::Reloaded { model_version, .. } => say(&format!("edge: model {model_version} is live")),
        Outcome::Refused { reason } => say(&format!("edge: nothing newer is served: {reason}")),
        Outcome::Unchanged => {}
    };
    std::thread::Builder::new().name("keeper".to_owned()).spawn(move || looking.run(every, tell))?;
    Ok(keeper)
}
