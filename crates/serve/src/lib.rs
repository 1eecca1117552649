#![doc = include_str!("../README.md")]

pub mod app;
pub mod client;
pub mod connections;
pub mod cors;
pub mod drift;
pub mod guard;
pub mod health;
pub mod life;
pub mod limits;
pub mod metrics;
pub mod mock;
pub mod pages;
pub mod problem;
pub mod routes;
pub mod server;
pub mod serving;
pub mod spans;
pub mod tls;
pub mod token;
pub mod wire;

mod answering;
mod contract;
mod conversation;
mod descriptors;
mod engine;
mod forecast;
mod gate;
mod hosts;
mod inference;
mod reference;
mod stamp;

pub use app::{Access, App, Clock, Settings};
pub use client::{Client, ClientError};
pub use connections::Connections;
pub use cors::{InvalidOrigin, Origin};
pub use engine::EngineSettings;
pub use guard::Admin;
pub use life::{Keeper, Loaded, Outcome, Source};
pub use limits::Rate;
pub use metrics::Metrics;
pub use mock::{MockPredictor, MockServer};
pub use pages::{Page, pages_router};
pub use problem::{Problem, ProblemKind};
pub use routes::{openapi, router, router_with};
pub use server::{Listener, ServeError, listen, run, run_router};
pub use serving::{Live, Serving, ShadowScore};
pub use tls::{CertificateError, CertificateFiles};
pub use token::{Keyring, KnownToken, Scope, Token, TokenError};
pub use wire::{
    ChallengerAnswer, Freshness, GameAsked, GameForecast, Health, LineAnswer, LineAsked, ModelAnswer,
    PredictAnswer, PredictQuery, PredictRequest, SCHEMA_VERSION, SlateQuery, Stamp,
};
