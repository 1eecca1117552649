//! The model that answers now, beside the one that would like to, and what is kept of their forecasts.
//!
//! A model is loaded with its graph as one [`Live`]; forecasts of known games are kept in it and go with it, so that no
//! answer of an older model or of older data is ever given for a newer one.
//!
//! # Example
//! ```
//! use serve::{Live, MockPredictor, Serving};
//! let serving = Serving::empty("models/best.pt is not there yet: run `edge train`");
//! assert!(serving.get().is_err());
//! let mock = MockPredictor::new("2024-05-01T00:00:00Z".parse().unwrap());
//! serving.set(Live::new(std::sync::Arc::new(mock)));
//! assert_eq!(serving.get().unwrap().card().version, "mock");
//! ```

mod live;
mod shadow;

use std::{
    fmt,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use market::Predictor;

pub(crate) use self::live::Slate;
pub(crate) use self::shadow::Shadow;
pub use self::{live::Live, shadow::ShadowScore};

/// What answers now; shared and swappable.
///
/// A request keeps the [`Live`] that it began with, so a swap drops nobody, and the old one goes with its last request.
#[derive(Clone)]
pub struct Serving(Arc<Stage>);

/// Is told the champion and the challenger of each swap.
type Tell = Box<dyn Fn(&Live, Option<&Live>) + Send + Sync>;

struct Stage {
    scene: RwLock<Scene>,
    tell: OnceLock<Tell>,
}

#[derive(Clone)]
struct Scene {
    /// Or the reason why there is none.
    champion: Result<Arc<Live>, String>,
    challenger: Option<Arc<Shadow>>,
    /// Why what is there now was not taken, while an older one goes on.
    refused: Option<String>,
}

impl Serving {
    /// Builds a holder without a model; `reason` is shown by `/readyz`.
    pub fn empty(reason: impl Into<String>) -> Self {
        let scene = Scene { champion: Err(reason.into()), challenger: None, refused: None };
        Self(Arc::new(Stage { scene: RwLock::new(scene), tell: OnceLock::new() }))
    }

    /// Builds a holder that answers with `predictor`.
    pub fn with(predictor: Arc<dyn Predictor>) -> Self {
        let serving = Self::empty("");
        serving.set(Live::new(predictor));
        serving
    }

    /// Answers with `live` from the next request on, without a challenger.
    pub fn set(&self, live: impl Into<Arc<Live>>) {
        self.set_beside(live, None);
    }

    /// Answers with `live` from the next request on, and compares `challenger` with it without answering from it.
    pub fn set_beside(&self, live: impl Into<Arc<Live>>, challenger: Option<Live>) {
        let challenger = challenger.map(|challenger| Arc::new(Shadow::new(challenger)));
        let scene = Scene { champion: Ok(live.into()), challenger, refused: None };
        *self.0.scene.write().unwrap_or_else(PoisonError::into_inner) = scene;
        self.tell();
    }

    /// Has `tell` told who answers, now and after each swap; only the first to ask is told.
    pub(crate) fn tell_swaps(&self, tell: impl Fn(&Live, Option<&Live>) + Send + Sync + 'static) {
        if self.0.tell.set(Box::new(tell)).is_ok() {
            self.tell();
        }
    }

    fn tell(&self) {
        if let (Some(tell), Ok(live)) = (self.0.tell.get(), self.get()) {
            tell(&live, self.challenger().as_ref().map(|shadow| &shadow.live));
        }
    }

    /// Notes why a newer model or newer data were not taken; what answers goes on, and without one this is why.
    pub fn refuse(&self, reason: impl Into<String>) {
        let mut scene = self.0.scene.write().unwrap_or_else(PoisonError::into_inner);
        let reason = reason.into();
        match &mut scene.champion {
            Ok(_) => scene.refused = Some(reason),
            Err(why) => *why = reason,
        }
    }

    /// Notes that what answers is what there is.
    pub fn accept(&self) {
        self.0.scene.write().unwrap_or_else(PoisonError::into_inner).refused = None;
    }

    /// Returns what answers, or why nothing does.
    pub fn get(&self) -> Result<Arc<Live>, String> {
        self.0.scene.read().unwrap_or_else(PoisonError::into_inner).champion.clone()
    }

    /// Returns why what is there now was not taken.
    pub fn refused(&self) -> Option<String> {
        self.0.scene.read().unwrap_or_else(PoisonError::into_inner).refused.clone()
    }

    pub(crate) fn challenger(&self) -> Option<Arc<Shadow>> {
        self.0.scene.read().unwrap_or_else(PoisonError::into_inner).challenger.clone()
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.get().map(|live| live.card().version.clone());
        f.debug_tuple("Serving").field(&version).finish()
    }
}
