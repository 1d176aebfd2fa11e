"""Pictures with masks and names, from wherever a data-set plugin reads them: samples, and the base of data sets."""
