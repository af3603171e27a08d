//! Traces for a collector by OTLP over HTTP, where `OTEL_EXPORTER_OTLP_ENDPOINT`
//! names one; the other variables that [OpenTelemetry] knows mean what they say.
//! What is told is what the log may hold, and no more.
//!
//! [OpenTelemetry]: https://opentelemetry.io/docs/specs/otel/protocol/exporter/

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use super::telemetry::is_harmless;

/// Sends what is left when it is dropped.
#[derive(Debug, Default)]
pub struct Exporter(Option<SdkTracerProvider>);

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Some(provider) = &self.0
            && let Err(error) = provider.shutdown()
        {
            eprintln!("emporion: the last traces were not sent: {error}");
        }
    }
}

/// What sends traces, when a collector is named.
pub fn begin<S>() -> (Option<impl Layer<S>>, Exporter)
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    if std::env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT").is_none() {
        return (None, Exporter::default());
    }
    let exporter = match SpanExporter::builder().with_http().build() {
        Ok(exporter) => exporter,
        Err(error) => {
            eprintln!("emporion: no traces are sent: {error}");
            return (None, Exporter::default());
        }
    };
    let resource = Resource::builder().with_service_name("emporion").build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("emporion"));
    (Some(layer.with_filter(filter_fn(is_harmless))), Exporter(Some(provider)))
}
