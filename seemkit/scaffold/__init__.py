"""New plugins: a project that installs, lints, type-checks and passes its tests, written from templates."""
