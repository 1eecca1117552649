#![doc = include_str!("../README.md")]

pub mod app;
pub mod client;
pub mod health;
pub mod life;
pub mod mock;
pub mod pages;
pub mod problem;
pub mod routes;
pub mod server;
pub mod serving;
pub mod wire;

mod asking;
mod engine;
mod forecast;
mod gate;
mod metrics;

pub use app::{App, Clock, Settings, Token};
pub use client::{Client, ClientError};
pub use engine::EngineSettings;
pub use life::{Keeper, Loaded, Outcome, Source};
pub use mock::{MockPredictor, MockServer};
pub use pages::{Page, pages_router};
pub use problem::{Problem, ProblemKind};
pub use routes::{openapi, router, router_with};
pub use server::{ServeError, listen, run, run_router};
pub use serving::{Live, Serving, ShadowScore};
pub use wire::{
    ChallengerAnswer, GameAsked, GameForecast, Health, LineAnswer, LineAsked, ModelAnswer, PredictAnswer,
    PredictQuery, PredictRequest, SCHEMA_VERSION, SlateQuery, Stamp,
};
