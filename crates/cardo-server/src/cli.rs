//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{Right, Settings};

/// A self-hosted digital-twin server for cities.
#[derive(Debug, Parser)]
#[command(name = "cardo", version, arg_required_else_help = true)]
#[command(about = "A self-hosted digital-twin server for cities")]
#[command(
    after_help = "Example:\n  cardo demo\n  cardo serve --data ./city --listen 127.0.0.1:9000"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `cardo` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a real city, ready to be asked, with nothing to configure
    #[command(after_help = DEMO_EXAMPLE)]
    Demo(ServeArgs),
    /// Run the server
    #[command(after_help = SERVE_EXAMPLE)]
    Serve(ServeArgs),
    /// Take files into the twin
    #[command(after_help = INGEST_EXAMPLE)]
    Ingest(IngestArgs),
    /// Keep JSON-LD contexts in the data directory, for a server without internet
    #[command(subcommand)]
    Context(ContextCommand),
    /// Show every setting, its value in force and where that came from
    #[command(after_help = CONFIG_EXAMPLE)]
    Config(ServeArgs),
    /// Make an access token and the hash that goes into the configuration
    #[command(after_help = TOKEN_EXAMPLE)]
    Token(TokenArgs),
    /// Check a server, this one or any other, against the clauses of NGSI-LD and OGC API
    #[command(after_help = CONFORM_EXAMPLE)]
    Conform(ConformArgs),
}

const DEMO_EXAMPLE: &str = "Example:
  cardo demo
  curl 'http://127.0.0.1:8787/ngsi-ld/v1/types'";

const SERVE_EXAMPLE: &str = "Example:
  cardo serve --config cardo.toml
  CARDO_EGRESS_ALLOW_PRIVATE=true cardo serve --data ./city --listen 127.0.0.1:9000

Every setting can stand in the file, in the environment or, for the ones above, on the
command line; a flag wins over the environment, and that over the file. `cardo config`
lists all of them.";

const INGEST_EXAMPLE: &str = "Example:
  cardo ingest trees.geojson --type Tree
  cardo ingest city.gpkg --layer roads --type Road
  cardo ingest parcels.zip --suggest-mapping > parcels.toml
  cardo ingest parcels.zip --mapping parcels.toml --dry-run
  cardo ingest stations.csv --mapping stations.toml --data ./city
  cardo ingest --quarantine list
  cardo ingest --quarantine replay stations.csv --mapping stations.toml";

const CONTEXT_EXAMPLE: &str = "Example:
  cardo context add https://smartdatamodels.org/context.jsonld ./context.jsonld";

const CONFIG_EXAMPLE: &str = "Example:
  cardo config --config cardo.toml";

const TOKEN_EXAMPLE: &str = "Example:
  cardo token --name dashboard --rights read
  cardo token --name harbour-feed --rights write --tenant harbour";

const CONFORM_EXAMPLE: &str = "Example:
  cardo conform http://127.0.0.1:8787
  cardo conform https://broker.example/ngsi-ld/v1 --only 5.6 --header 'Authorization: Bearer …'
  cardo conform http://127.0.0.1:8787 --callback 127.0.0.1:9999 --junit conform.xml

What is created has ids, types and tenants of its own and is deleted afterwards. The exit code is 1
when a check failed.";

/// Settings that matter on a command line.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArgs {
    /// Address and port to listen on [default: 127.0.0.1:8787]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Common to all commands.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Settings of every command that touches data.
#[derive(Clone, Debug, Default, Args)]
pub struct CommonArgs {
    /// The data directory [default: ./cardo-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// The configuration file, in TOML
    #[arg(long, value_name = "FILE", env = "CARDO_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// What is logged: a level, or directives such as info,cardo_ingest=debug [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// The form of log lines: text or json [default: text]
    #[arg(long, value_name = "FORM")]
    pub log_format: Option<String>,
}

/// What to take in.
#[derive(Clone, Debug, Args)]
pub struct IngestArgs {
    /// The files; with --quarantine, the name of a source
    #[arg(value_name = "FILE", required_unless_present = "quarantine")]
    pub files: Vec<String>,
    /// The entity type of the records, where no mapping says it
    #[arg(long = "type", value_name = "TYPE")]
    pub type_name: Option<String>,
    /// A mapping file: how a record becomes an entity
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// The coordinate reference system, where the file does not say it: EPSG:3879
    #[arg(long, value_name = "CRS")]
    pub crs: Option<String>,
    /// The column or property that tells records apart
    #[arg(long, value_name = "COLUMN")]
    pub id_column: Option<String>,
    /// A JSON-LD context for the names: a URL of a context that is kept, or a file
    #[arg(long, value_name = "CONTEXT")]
    pub context: Option<String>,
    /// geojson, geojsonseq, csv, flatgeobuf, geopackage, shapefile or gtfs-realtime, where it cannot
    /// be told
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// The table of a GeoPackage, or the shapefile of a zip, where there are several
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
    /// Print a mapping for the file, to edit; nothing is taken in
    #[arg(long, conflicts_with_all = ["quarantine", "mapping", "dry_run"])]
    pub suggest_mapping: bool,
    /// Show the first entities and what would be put aside; nothing is taken in, and no data
    /// directory is needed
    #[arg(long, conflicts_with = "quarantine")]
    pub dry_run: bool,
    /// How many entities a dry run shows
    #[arg(long, value_name = "N", default_value_t = 3, requires = "dry_run", value_parser = clap::value_parser!(u16).range(..=1000))]
    pub limit: u16,
    /// The name of the source in the log [default: the name of the file]
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,
    /// List the records that were put aside, or take those of a source in again
    #[arg(long, value_name = "WHAT")]
    pub quarantine: Option<QuarantineCommand>,
    /// Common to all commands.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// What to do with the records that were put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum QuarantineCommand {
    /// Say which there are and why.
    List,
    /// Take them in again, after the mapping was mended.
    Replay,
}

/// What to do with contexts.
#[derive(Debug, Subcommand)]
pub enum ContextCommand {
    /// Keep the context of a URL, read from a file
    #[command(after_help = CONTEXT_EXAMPLE)]
    Add {
        /// The URL under which payloads name it
        url: String,
        /// The file that holds it
        file: PathBuf,
        /// Common to all commands.
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// Whose token it will be.
#[derive(Clone, Debug, Args)]
pub struct TokenArgs {
    /// Under which name its bearer stands in the log
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// read, write or admin
    #[arg(long, value_name = "RIGHTS", default_value = "read")]
    pub rights: RightArg,
    /// A tenant it is good for; may be repeated [default: all tenants]
    #[arg(long = "tenant", value_name = "TENANT")]
    pub tenants: Vec<String>,
}

/// A right, as on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RightArg {
    /// Ask.
    Read,
    /// Change entities and subscriptions.
    Write,
    /// Change the server itself.
    Admin,
}

/// What to check, and how.
#[derive(Clone, Debug, Args)]
pub struct ConformArgs {
    /// The base of NGSI-LD, the landing page of OGC API, or a root that has both below it
    #[arg(value_name = "URL", required_unless_present = "list")]
    pub url: Option<String>,
    /// Check this clause or requirement and those below it, or one check by its id; may be repeated
    #[arg(long, value_name = "CLAUSE")]
    pub only: Vec<String>,
    /// The tenant that is used
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,
    /// A header of every request; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// Where to listen for notifications: an address of this machine that the server can reach
    #[arg(long, value_name = "ADDRESS")]
    pub callback: Option<SocketAddr>,
    /// How long an answer may take
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
    /// How long something may take that is to happen by itself, such as a notification
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub patience: u64,
    /// How many checks are under way at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = jobs)]
    pub jobs: usize,
    /// Take the checks of NGSI-LD from a file of your own, in the same language
    #[arg(long, value_name = "FILE")]
    pub checks: Option<PathBuf>,
    /// Say which checks there are; nothing is sent
    #[arg(long)]
    pub list: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    /// Write a report in the XML of JUnit
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(jobs @ 1..=64) => Ok(jobs),
        _ => Err("a number from 1 to 64".to_owned()),
    }
}

impl From<RightArg> for Right {
    fn from(right: RightArg) -> Self {
        match right {
            RightArg::Read => Self::Read,
            RightArg::Write => Self::Write,
            RightArg::Admin => Self::Admin,
        }
    }
}

impl ServeArgs {
    /// The settings that file, environment and these flags make.
    pub fn settings(&self) -> Settings {
        let mut settings = self.common.settings();
        settings.flag("listen", self.listen.clone());
        settings
    }
}

impl CommonArgs {
    /// The settings that file, environment and these flags make.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::from_environment();
        settings.file.clone_from(&self.config);
        settings.flag("data", self.data.clone());
        settings.flag("log.level", self.log_level.clone());
        settings.flag("log.format", self.log_format.clone());
        settings
    }
}
