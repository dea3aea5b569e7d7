/// What makes a value of others. The first are operators of languages; those with a name are
/// listed by [`all_functions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it; the table tells what those with a name do")]
pub enum Function {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    IntegerDivide,
    Power,
    /// The text without regard to case: the full case folding of Unicode.
    CaseFolded,
    /// The text without diacritics.
    Unaccented,
    Lower,
    Upper,
    Length,
    Concat,
    StartsWith,
    EndsWith,
    Includes,
    Abs,
    Floor,
    Ceil,
    Round,
    Sqrt,
    Least,
    Greatest,
    Year,
    Month,
    Day,
    Hour,
    Distance,
    Centroid,
    Longitude,
    Latitude,
    Dimension,
}

/// What a value is, as far as it is known before there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sort {
    /// A truth value.
    Bool,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A name of a vocabulary, a text as well.
    Vocab,
    /// A date.
    Date,
    /// A date with a time.
    Moment,
    /// From an instant to another.
    Interval,
    /// A geometry.
    Geometry,
    /// Several values.
    Array,
    /// Whatever is found.
    Any,
}

/// A function that has a name, and what it takes and gives.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// The name; languages compare it without regard to case.
    pub name: &'static str,
    /// The function.
    pub function: Function,
    /// What it does.
    pub description: &'static str,
    /// The title and sort of each argument.
    pub arguments: &'static [(&'static str, Sort)],
    /// What it gives.
    pub returns: Sort,
}

/// The functions that have a name, in the order in which they are told.
pub fn all_functions() -> &'static [Signature] {
    FUNCTIONS
}

impl Signature {
    /// The function of this name.
    pub fn of(name: &str) -> Option<&'static Self> {
        FUNCTIONS.iter().find(|signature| signature.name.eq_ignore_ascii_case(name))
    }
}

impl Function {
    /// What it gives.
    pub fn returns(self) -> Sort {
        let named = FUNCTIONS.iter().find(|signature| signature.function == self);
        match self {
            Self::CaseFolded | Self::Unaccented => Sort::Text,
            _ => named.map_or(Sort::Number, |signature| signature.returns),
        }
    }
}

const TEXT: (&str, Sort) = ("text", Sort::Text);
const NUMBER: (&str, Sort) = ("number", Sort::Number);
const TIME: (&str, Sort) = ("time", Sort::Moment);
const GEOMETRY: (&str, Sort) = ("geometry", Sort::Geometry);

const fn function(
    name: &'static str,
    function: Function,
    arguments: &'static [(&'static str, Sort)],
    returns: Sort,
    description: &'static str,
) -> Signature {
    Signature { name, function, description, arguments, returns }
}

const FUNCTIONS: &[Signature] = &[
    function("lower", Function::Lower, &[TEXT], Sort::Text, "The text in lower case"),
    function("upper", Function::Upper, &[TEXT], Sort::Text, "The text in upper case"),
    function("length", Function::Length, &[TEXT], Sort::Number, "How many characters a text has"),
    function(
        "concat",
        Function::Concat,
        &[TEXT, ("more", Sort::Text)],
        Sort::Text,
        "One text and another behind it",
    ),
    function(
        "starts_with",
        Function::StartsWith,
        &[TEXT, ("start", Sort::Text)],
        Sort::Bool,
        "Whether a text begins with another",
    ),
    function(
        "ends_with",
        Function::EndsWith,
        &[TEXT, ("end", Sort::Text)],
        Sort::Bool,
        "Whether a text ends with another",
    ),
    function(
        "includes",
        Function::Includes,
        &[TEXT, ("part", Sort::Text)],
        Sort::Bool,
        "Whether a text has another in it",
    ),
    function("abs", Function::Abs, &[NUMBER], Sort::Number, "The number without its sign"),
    function("floor", Function::Floor, &[NUMBER], Sort::Number, "The next lower whole number"),
    function("ceil", Function::Ceil, &[NUMBER], Sort::Number, "The next higher whole number"),
    function(
        "round",
        Function::Round,
        &[NUMBER],
        Sort::Number,
        "The nearest whole number, halves away from 0",
    ),
    function(
        "sqrt",
        Function::Sqrt,
        &[NUMBER],
        Sort::Number,
        "The square root; nothing for a number below 0",
    ),
    function(
        "least",
        Function::Least,
        &[NUMBER, ("other", Sort::Number)],
        Sort::Number,
        "The smaller of two numbers",
    ),
    function(
        "greatest",
        Function::Greatest,
        &[NUMBER, ("other", Sort::Number)],
        Sort::Number,
        "The larger of two numbers",
    ),
    function("year", Function::Year, &[TIME], Sort::Number, "The year in UTC"),
    function("month", Function::Month, &[TIME], Sort::Number, "The month in UTC, 1 to 12"),
    function("day", Function::Day, &[TIME], Sort::Number, "The day of the month in UTC"),
    function("hour", Function::Hour, &[TIME], Sort::Number, "The hour in UTC; nothing for a date"),
    function(
        "distance",
        Function::Distance,
        &[GEOMETRY, ("other", Sort::Geometry)],
        Sort::Number,
        "The shortest way between two geometries on the ellipsoid, in metres",
    ),
    function("centroid", Function::Centroid, &[GEOMETRY], Sort::Geometry, "The middle"),
    function(
        "longitude",
        Function::Longitude,
        &[GEOMETRY],
        Sort::Number,
        "The longitude of a point, else of the middle",
    ),
    function(
        "latitude",
        Function::Latitude,
        &[GEOMETRY],
        Sort::Number,
        "The latitude of a point, else of the middle",
    ),
    function(
        "dimension",
        Function::Dimension,
        &[GEOMETRY],
        Sort::Number,
        "0 for points, 1 for lines, 2 for areas",
    ),
];
