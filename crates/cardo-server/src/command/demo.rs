use std::net::TcpListener;
use std::path::Path;
use std::time::Instant;

use cardo_ingest::{Ingestor, terminal_progress};
use tokio_util::sync::CancellationToken;
use toml::Value;

use crate::cli::ServeArgs;
use crate::command::Failure;
use crate::command::say::{complain, mention};
use crate::command::serve::{run_to_end, stop_signal};
use crate::config::Config;
use crate::demo::{self, Asker};
use crate::http::listen;
use crate::logging::start_logging;
use crate::parts::Parts;

/// The usual reference systems, and those of Helsinki and of Finland.
const SYSTEMS: [&str; 5] = ["EPSG:4326", "EPSG:3857", "EPSG:4258", "EPSG:3879", "EPSG:3067"];

pub(super) fn run(args: &ServeArgs) -> Result<(), Failure> {
    let started = Instant::now();
    let mut settings = args.settings();
    settings.defaults = vec![
        ("data", Value::String("./cardo-demo-data".into())),
        // Notifications of the demonstration may go to a program on the same machine.
        ("egress.allow_loopback", Value::Boolean(true)),
        ("ogc.crs", Value::Array(SYSTEMS.map(Value::from).into())),
        ("log.level", Value::String("warn".into())),
    ];
    let config = settings.resolve().map_err(Failure::usage)?.config;
    start_logging(&config.log).map_err(Failure::usage)?;
    let listener = listen(&config.listen).map_err(Failure::run)?;
    run_to_end(demonstrate(listener, config, started))
}

async fn demonstrate(
    listener: TcpListener,
    mut config: Config,
    started: Instant,
) -> Result<(), Failure> {
    let stop = stop_signal()?;
    let address = listener.local_addr().map_err(Failure::run)?;
    let parts = Parts::open(&config, address, Some(demo::NOTICE)).await.map_err(Failure::run)?;
    let folder = config.data.join("helsinki");
    demo::unpack(&folder)
        .map_err(|error| Failure::run(format!("{}: {error}", folder.display())))?;
    config.sources.push(demo::trams(&folder));
    let url = format!("{}://{address}", config.http.scheme());
    mention(format_args!(
        "Cardo listens on {url}\nThe data are kept in {}. {}\n\n",
        config.data.display(),
        demo::NOTICE
    ));

    let asker = Asker { router: parts.router.clone(), base: url };
    let ingestor = parts.ingestor.clone();
    let stopping = CancellationToken::new();
    let serving = parts.serve(listener, &config, stopping.cancelled());
    let showing = async {
        let shown = async {
            show(&ingestor, &asker, &folder, started).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = shown => {}
            () = stop => {}
        }
        stopping.cancel();
    };
    let (served, ()) = tokio::join!(serving, showing);
    served.map_err(Failure::run)
}

/// Takes the city in and shows what can be asked of it.
async fn show(ingestor: &Ingestor, asker: &Asker, folder: &Path, started: Instant) {
    let progress = terminal_progress();
    match demo::take_in(ingestor, folder, progress.as_ref()).await {
        Ok(reports) => mention(format_args!("{}\n", demo::summary(&reports))),
        Err(error) => {
            complain(format_args!("a layer could not be taken in: {error}"));
            return;
        }
    }
    demo::ask_all(asker).await;
    mention(format_args!(
        "\nReady after {:.1} s. For browsers: {}/   Stop with Ctrl-C; the data stay.\n",
        started.elapsed().as_secs_f64(),
        asker.base
    ));
}
