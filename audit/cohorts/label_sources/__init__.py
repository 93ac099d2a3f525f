"""Published label files of data sets' speakers, one file each. None of them is part of this package."""
