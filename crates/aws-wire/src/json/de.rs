//! Values read into structs, with the place of what does not fit.

use super::{Number, Value};
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, Deserialize, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;
use std::fmt;

/// The name under which a [`Number`] asks for digits. No other type has it.
const NUMBER: &str = "$aws_wire::json::Number";

/// A value that does not fit the type it is read into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromValueError {
    /// Such as `ChargeDetails.Flat` or `AccountIds[3]`; empty at the top.
    pub path: String,
    pub problem: String,
}

impl FromValueError {
    /// The same problem, seen from a member or element further out.
    fn within(mut self, step: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{step}{dot}{}", self.path);
        self
    }
}

impl fmt::Display for FromValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, problem } = self;
        if path.is_empty() { write!(f, "{problem}") } else { write!(f, "{path}: {problem}") }
    }
}

impl std::error::Error for FromValueError {}

impl de::Error for FromValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: String::new(), problem: message.to_string() }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, read by aws_wire::json")
            }

            fn visit_str<E: de::Error>(self, digits: &str) -> Result<Number, E> {
                digits.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_newtype_struct(NUMBER, Digits)
    }
}

/// A member or an element that knows its place.
struct Placed {
    step: String,
    value: Value,
}

impl IntoDeserializer<'_, FromValueError> for Placed {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Hands each request on to the value, and adds the place to what goes wrong.
macro_rules! placed {
    ($($method:ident ( $($name:ident : $type:ty),* );)*) => {
        impl<'de> Deserializer<'de> for Placed {
            type Error = FromValueError;
            $(fn $method<V: Visitor<'de>>(self $(, $name: $type)*, visitor: V) -> Result<V::Value, FromValueError> {
                let Self { step, value } = self;
                value.$method($($name,)* visitor).map_err(|error| error.within(&step))
            })*
            forward_to_deserialize_any! {
                bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
                tuple tuple_struct map struct identifier
            }
        }
    };
}

placed! {
    deserialize_any();
    deserialize_ignored_any();
    deserialize_option();
    deserialize_newtype_struct(name: &'static str);
    deserialize_enum(name: &'static str, variants: &'static [&'static str]);
}

impl<'de> Deserializer<'de> for Value {
    type Error = FromValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Number(number) => match (number.to_i64(), number.to_u64()) {
                (Some(whole), _) => visitor.visit_i64(whole),
                (None, Some(whole)) => visitor.visit_u64(whole),
                (None, None) => {
                    let problem = format!("`{number}` is not a whole number of 64 bits");
                    Err(FromValueError { path: String::new(), problem })
                }
            },
            Self::String(text) => visitor.visit_string(text),
            Self::List(values) => {
                let placed = values.into_iter().zip(0_usize..);
                let placed = placed.map(|(value, at)| Placed { step: format!("[{at}]"), value });
                let mut list = SeqDeserializer::new(placed);
                let read = visitor.visit_seq(&mut list)?;
                list.end()?;
                Ok(read)
            }
            Self::Map(members) => {
                let placed =
                    members.into_iter().map(|(name, value)| (name.clone(), Placed { step: name, value }));
                let mut map = MapDeserializer::new(placed);
                let read = visitor.visit_map(&mut map)?;
                map.end()?;
                Ok(read)
            }
        }
    }

    /// What no field asks for may be any number.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        if self == Self::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        match self {
            Self::Number(number) if name == NUMBER => visitor.visit_str(number.as_str()),
            other if name == NUMBER => Err(FromValueError {
                path: String::new(),
                problem: format!("{} is not a number", other.kind()),
            }),
            other => visitor.visit_newtype_struct(other),
        }
    }

    /// A string names a variant without content; an object of one member, a variant with it.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        let (name, content) = match self {
            Self::String(name) => (name, None),
            Self::Map(members) if members.len() == 1 => {
                let (name, value) = members.into_iter().next().unwrap_or((String::new(), Self::Null));
                (name, Some(value))
            }
            other => {
                let problem = format!("{} is neither a string nor an object of one member", other.kind());
                return Err(FromValueError { path: String::new(), problem });
            }
        };
        visitor.visit_enum(Variant { name, content })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct identifier
    }
}

struct Variant {
    name: String,
    content: Option<Value>,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = FromValueError;
    type Variant = Content;

    fn variant_seed<S: de::DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Content), FromValueError> {
        let variant = seed.deserialize(Value::String(self.name.clone()))?;
        Ok((variant, Content { name: self.name, value: self.content }))
    }
}

struct Content {
    name: String,
    value: Option<Value>,
}

impl Content {
    fn placed(self) -> Placed {
        Placed { step: self.name, value: self.value.unwrap_or(Value::Null) }
    }
}

impl<'de> VariantAccess<'de> for Content {
    type Error = FromValueError;

    fn unit_variant(self) -> Result<(), FromValueError> {
        match self.value {
            None => Ok(()),
            Some(_) => Err(de::Error::custom(format_args!("`{}` has no content", self.name))),
        }
    }

    fn newtype_variant_seed<S: de::DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, FromValueError> {
        seed.deserialize(self.placed())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, FromValueError> {
        self.placed().deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        self.placed().deserialize_any(visitor)
    }
}
