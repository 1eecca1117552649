//! The endpoint with one fixed opinion: `cargo run -p serve --example mock -- [PORT] [TOKEN]`.
//!
//! It says where it answers on its first line, and stops when its input ends, so that it never outlives who started it.

#![expect(clippy::print_stdout, reason = "an example talks to its user")]

use std::{
    error::Error,
    io::{Read, Write, stdin, stdout},
    sync::Arc,
};

use jiff::Timestamp;
use serve::{App, MockPredictor, Serving, Settings, Token, listen, run};
use tokio::sync::oneshot;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().map_or(Ok(0), |port| port.parse())?;
    let token = arguments.next().as_deref().and_then(Token::new);
    let mut settings = Settings { token, ..Settings::default() };
    settings.listen.set_port(port);
    let listener = listen(&settings).await?;
    println!("http://{}", listener.local_addr()?);
    stdout().flush()?;
    let as_of: Timestamp = "2022-10-14T09:00:00Z".parse()?;
    let app = App::new(Serving::with(Arc::new(MockPredictor::new(as_of))), settings, move || as_of);
    let (stop, stopped) = oneshot::channel();
    std::thread::spawn(move || {
        // Whatever ends the input ends the server.
        let _ = stdin().read_to_end(&mut Vec::new());
        let _ = stop.send(());
    });
    run(listener, app, async { stopped.await.unwrap_or(()) }).await?;
    Ok(())
}
